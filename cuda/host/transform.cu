// The public functions: check, then queue kernels.
#include <algorithm>
#include <array>
#include <complex>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>

#include "arguments/validate.hpp"
#include "givens/cuda.hpp"
#include "host/device_plan.hpp"
#include "host/instantiations.hpp"
#include "host/tiling.hpp"
#include "host/workspace.hpp"
#include "kernels/launch.hpp"

namespace givens::cuda {

namespace {

template <class T>
inline constexpr Storage kStorage = std::is_same_v<T, Half>       ? Storage::float16
                                    : std::is_same_v<T, BFloat16> ? Storage::bfloat16
                                                                  : Storage::full;

// Reals in an element of the caller's arrays.
template <class T>
inline constexpr std::int64_t kReals = is_complex_v<T> ? 2 : 1;

// An operand of a loop, and the reals in one of its elements.
struct Operand {
  std::size_t number;
  std::int64_t reals;
};

template <std::size_t Operands, std::size_t N>
DeviceLoop<static_cast<int>(Operands)> device_loop(const StridedLoop<N>& loop,
                                                   const Operand (&operands)[Operands]) {
  if (loop.depth() > kMostLoops) {
    throw std::invalid_argument("arrays on a GPU must have at most " + std::to_string(kMostLoops) +
                                " axes that cannot be merged, got " + std::to_string(loop.depth()));
  }
  DeviceLoop<static_cast<int>(Operands)> out{};
  out.depth = loop.depth();
  out.size = loop.size();
  for (int level = 0; level < loop.depth(); ++level) {
    out.extents[level] = loop.extent(level);
    for (std::size_t p = 0; p < Operands; ++p) {
      out.strides[level][p] = operands[p].reals * loop.stride(level, operands[p].number);
    }
  }
  return out;
}

// Whether neighbouring vectors are nearer to each other in memory than neighbouring coordinates.
template <std::size_t N>
bool columns_are_near(const StridedLoop<N>& vectors, std::size_t operand, std::int64_t stride) {
  return vectors.depth() > 0 &&
         std::abs(vectors.stride(vectors.depth() - 1, operand)) < std::abs(stride);
}

template <class F>
TilingProblem tiling_problem(const DevicePlan& plan, int panels, int columns_of_thread,
                             int operands, std::int64_t columns, std::int64_t matrices) {
  return {plan.slots,
          plan.widest_stage,
          static_cast<std::size_t>(panels * plan.slots * kParts<F>) * sizeof(real_t<F>) +
              static_cast<std::size_t>(operands) * sizeof(std::int64_t),
          columns_of_thread,
          panels == 1 ? 1 : kLeastVjpLanes,
          columns,
          matrices};
}

// The columns of a panel in global memory: all, in multiples of a warp's, up to 2^26 reals.
template <class F>
int staged_width(const DevicePlan& plan, int columns_of_thread, std::int64_t columns) {
  const std::int64_t unit = 32 * columns_of_thread;
  const std::int64_t most =
      std::max<std::int64_t>((std::int64_t{1} << 26) / (plan.slots * kParts<F>) / unit, 1);
  return static_cast<int>(unit * std::min(most, (columns + unit - 1) / unit));
}

// Launches for some matrices at a time: body(first, count, numbers) for all that fit in memory.
template <class F, class Body>
WorkspaceSize in_chunks(const CallSize& call, const LaunchOptions* launch, Body&& body) {
  const WorkspaceSize size = workspace_size<F>(call);
  if (!launch) return size;
  const WorkspaceMemory memory(launch->workspace, size, launch->stream);
  const std::int64_t at_once = matrices_at_once<F>(call, memory.bytes());
  for (std::int64_t first = 0; first < call.matrices; first += at_once) {
    const std::int64_t count = std::min(at_once, call.matrices - first);
    body(first, count, place_numbers<F>(call, count, memory.data()));
  }
  return size;
}

template <class F>
CoefficientsProblem<real_t<F>> coefficients_problem(const CallSize& call, const DeviceWalk& walk,
                                                    const Schedule& schedule,
                                                    const MatrixParameters<real_t<F>>& parameters,
                                                    const DeviceLoop<3>& matrices,
                                                    std::int64_t first, std::int64_t count,
                                                    const CallNumbers<F>& numbers) {
  CoefficientsProblem<real_t<F>> out{};
  out.works = walk.works;
  out.count = walk.work_count;
  out.sources = call.plan.sources;
  out.coordinate_of_row = call.plan.coordinate_of_row;
  out.matrix_units = call.plan.units[kParts<F> - 1];
  out.matrix_entries = call.plan.entries;
  out.angles = parameters.angles.data;
  out.angle_stride = parameters.angles.stride;
  out.phases = parameters.phases.data;
  out.phase_stride = parameters.phases.stride;
  out.diagonal = parameters.diagonal.data;
  out.diagonal_stride = parameters.diagonal.stride;
  out.matrices = matrices;
  out.first_matrix = first;
  out.matrix_count = count;
  out.coefficients = numbers.coefficients;
  out.weights = numbers.weights;
  out.diagonal_factors = numbers.diagonal;
  out.coordinates = static_cast<std::int32_t>(schedule.n());
  out.counters = numbers.counters;
  out.counter_count = numbers.counter_count;
  return out;
}

template <class F>
void queue_coefficients(const CoefficientsProblem<real_t<F>>& problem, bool undo,
                        cudaStream_t stream) {
  constexpr int kItems = kCoefficientThreads / kWorkLanes;
  launch_coefficients<F>(problem, undo,
                         {std::max((problem.count + kItems - 1) / kItems, 1),
                          std::min<std::int64_t>(problem.matrix_count, 65535), kCoefficientThreads,
                          kItems * 2 * kRowBlock * sizeof(double), stream});
}

template <class F>
Program<F> program_of(const CallSize& call, const DeviceWalk& walk, bool undo,
                      const CallNumbers<F>& numbers) {
  return {walk.stages,
          walk.stage_count,
          walk.works,
          call.plan.sources,
          {call.plan.coordinate_of_row, call.plan.slots},
          numbers.coefficients,
          call.plan.units[kParts<F> - 1],
          undo};
}

LaunchShape shape_of(const ChosenTiling& chosen, std::int64_t matrices, cudaStream_t stream) {
  const Tiling& tiling = chosen.tiling;
  return {(matrices + tiling.matrices - 1) / tiling.matrices * tiling.panels, 1, chosen.threads,
          chosen.shared_bytes, stream};
}

template <class F>
GlobalPanels<F> panels_of(const CallSize& call, const CallNumbers<F>& numbers,
                          std::int64_t first_column) {
  const int groups = call.plan.slots / kRowBlock;
  return {{numbers.panel_y, groups, call.staged_width},
          {numbers.panel_g, groups, call.staged_width},
          numbers.places,
          first_column};
}

// --- rotate and matrix ---

// U of some matrices times x, or times the identity where x is null. `arguments` lacks what depends
// on the device.
template <class T, class F>
WorkspaceSize rotate_or_form(RotateArguments<F> arguments, const Schedule& schedule,
                             const MatrixParameters<real_t<T>>& parameters,
                             const DeviceLoop<3>& of_parameters, std::int64_t columns, int device,
                             const LaunchOptions* launch) {
  const DevicePlan& plan = device_plan_of(schedule);
  const std::int64_t matrices = of_parameters.size;
  if (columns == 0 || matrices == 0 || schedule.n() == 0) return {};
  const TilingProblem tiling_of =
      tiling_problem<F>(plan, 1, kRotateColumns<F>, 2, columns, matrices);
  const DeviceLimits limits = limits_of(device);
  const bool staged = !fits(tiling_of, limits);
  const ChosenTiling chosen = staged ? ChosenTiling{} : choose_tiling(tiling_of, limits);
  const CallSize call{plan,
                      matrices,
                      std::max<std::int64_t>(chosen.tiling.panels, 1),
                      0,
                      bool(parameters.diagonal),
                      false,
                      staged ? staged_width<F>(plan, kRotateColumns<F>, columns) : 0};
  const bool undo = arguments.inverse;
  const DeviceWalk& walk = undo ? plan.backward : plan.forward;
  arguments.tiling = chosen.tiling;
  arguments.tiling.columns = columns;
  arguments.columns_of_vector = kParts<T> / kParts<F>;
  arguments.signs = parameters.signs.data;
  arguments.sign_stride = parameters.signs.stride;
  arguments.matrix_coordinates = schedule.n();
  return in_chunks<F>(
      call, launch, [&](std::int64_t first, std::int64_t count, const CallNumbers<F>& numbers) {
        queue_coefficients<F>(coefficients_problem<F>(call, walk, schedule, parameters,
                                                      of_parameters, first, count, numbers),
                              undo, launch->stream);
        arguments.program = program_of<F>(call, walk, undo, numbers);
        arguments.diagonal = numbers.diagonal;
        arguments.first_matrix = first;
        arguments.matrix_count = count;
        if (!staged) {
          launch_rotate(arguments, chosen.wide, shape_of(chosen, count, launch->stream));
          return;
        }
        for (std::int64_t c = 0; c < columns; c += call.staged_width) {
          launch_staged(StagedRotate<F>{arguments, panels_of<F>(call, numbers, c), 0}, walk,
                        launch->stream);
        }
      });
}

template <class T, class F>
WorkspaceSize rotate_in(const RotateProblem<T>& problem, int device, const LaunchOptions* launch) {
  constexpr std::int64_t P = kReals<T>;
  RotateArguments<F> arguments{};
  arguments.x = {problem.x.data, kStorage<T>};
  arguments.y = {problem.y.data, kStorage<T>};
  arguments.x_row_stride = P * problem.x.stride;
  arguments.y_row_stride = P * problem.y.stride;
  arguments.x_columns_are_near = columns_are_near(problem.vectors, 0, problem.x.stride);
  arguments.y_columns_are_near = columns_are_near(problem.vectors, 1, problem.y.stride);
  arguments.matrices = device_loop(problem.matrices, {{3, 1}, {2, 1}, {4, P}, {5, P}});
  arguments.vectors = device_loop(problem.vectors, {{0, P}, {1, P}});
  arguments.inverse = problem.inverse;
  return rotate_or_form<T, F>(arguments, problem.schedule, problem.parameters,
                              device_loop(problem.matrices, {{0, 1}, {1, 1}, {2, 1}}),
                              problem.vectors.size() * (kParts<T> / kParts<F>), device, launch);
}

template <class T>
WorkspaceSize matrix_in(const MatrixProblem<T>& problem, int device, const LaunchOptions* launch) {
  using F = std::conditional_t<is_complex_v<T>, T, real_t<T>>;
  constexpr std::int64_t P = kReals<T>;
  const std::int64_t columns = problem.schedule.columns();
  RotateArguments<F> arguments{};
  arguments.y = {problem.u, kStorage<T>};
  arguments.y_row_stride = P * problem.row_stride;
  arguments.y_columns_are_near = std::abs(problem.column_stride) < std::abs(problem.row_stride);
  arguments.matrices = device_loop(problem.matrices, {{3, 1}, {2, 1}, {4, P}, {4, P}});
  StridedLoop<1> vectors;
  vectors.add(columns, std::array<std::int64_t, 1>{problem.column_stride});
  arguments.vectors = device_loop(vectors, {{0, P}, {0, P}});
  return rotate_or_form<T, F>(arguments, problem.schedule, problem.parameters,
                              device_loop(problem.matrices, {{0, 1}, {1, 1}, {2, 1}}), columns,
                              device, launch);
}

// --- Gradients ---

// Chains of panels that have sums of their own: none if there is but one, or if panels are in
// global memory.
std::int64_t chains_of(const Tiling& tiling) {
  return tiling.chain > 1 ? (tiling.panels + tiling.chain - 1) / tiling.chain : 0;
}

template <class T, class F>
WorkspaceSize vjp_in(const VjpProblem<T>& problem, bool from_identity, int device,
                     const LaunchOptions* launch) {
  using R = real_t<T>;
  constexpr std::int64_t P = kReals<T>;
  const Schedule& schedule = problem.schedule;
  const DevicePlan& plan = device_plan_of(schedule);
  const std::int64_t matrices = problem.matrices.size();
  const std::int64_t columns = problem.vectors.size() * (kParts<T> / kParts<F>);
  if (matrices == 0 || schedule.n() == 0) return {};
  const TilingProblem tiling_of = tiling_problem<F>(plan, 2, kVjpColumns<F>, kVjpOperands,
                                                    std::max<std::int64_t>(columns, 1), matrices);
  const DeviceLimits limits = limits_of(device);
  const bool staged = !fits(tiling_of, limits);
  const ChosenTiling chosen = staged ? ChosenTiling{} : choose_tiling(tiling_of, limits);
  const CallSize call{
      plan,
      matrices,
      std::max<std::int64_t>(chosen.tiling.panels, 1),
      chains_of(chosen.tiling),
      bool(problem.parameters.diagonal),
      true,
      staged ? staged_width<F>(plan, kStagedVjpColumns<F>, std::max<std::int64_t>(columns, 1)) : 0};
  const bool undo = !problem.inverse;
  const DeviceWalk& walk = undo ? plan.backward : plan.forward;

  VjpArguments<F> arguments{};
  arguments.tiling = chosen.tiling;
  arguments.tiling.columns = columns;
  arguments.y = {problem.y.data, kStorage<T>};
  arguments.gy = {problem.gy.data, kStorage<T>};
  arguments.gx = {problem.gx.data, kStorage<T>};
  arguments.y_row_stride = P * problem.y.stride;
  arguments.gy_row_stride = P * problem.gy.stride;
  arguments.gx_row_stride = P * problem.gx.stride;
  arguments.y_columns_are_near = columns_are_near(problem.vectors, 0, problem.y.stride);
  arguments.gy_columns_are_near = columns_are_near(problem.vectors, 1, problem.gy.stride);
  arguments.gx_columns_are_near = columns_are_near(problem.vectors, 2, problem.gx.stride);
  arguments.columns_of_vector = kParts<T> / kParts<F>;
  arguments.matrices =
      device_loop(problem.matrices, {{3, 1}, {2, 1}, {4, P}, {5, P}, {6, P}, {7, 1}});
  arguments.vectors = device_loop(problem.vectors, {{0, P}, {1, P}, {2, P}});
  arguments.signs = problem.parameters.signs.data;
  arguments.sign_stride = problem.parameters.signs.stride;
  arguments.matrix_coordinates = schedule.n();
  arguments.inverse = problem.inverse;
  arguments.from_identity = from_identity;
  arguments.matrix_entries = plan.entries;
  arguments.gangles = problem.gangles.data;
  arguments.gangle_stride = problem.gangles.stride;

  const auto of_parameters = device_loop(problem.matrices, {{0, 1}, {1, 1}, {2, 1}});
  const auto of_gradients = device_loop(problem.matrices, {{7, 1}, {8, 1}, {9, 1}});
  return in_chunks<F>(
      call, launch, [&](std::int64_t first, std::int64_t count, const CallNumbers<F>& numbers) {
        const auto coefficients = coefficients_problem<F>(call, walk, schedule, problem.parameters,
                                                          of_parameters, first, count, numbers);
        queue_coefficients<F>(coefficients, undo, launch->stream);
        arguments.program = program_of<F>(call, walk, undo, numbers);
        arguments.diagonal = numbers.diagonal;
        arguments.first_matrix = first;
        arguments.matrix_count = count;
        arguments.weights = numbers.weights;
        arguments.sums = numbers.sums;
        arguments.diagonal_sums = numbers.diagonal_sums;
        arguments.chain_sums = numbers.chain_sums;
        arguments.chain_diagonal_sums = numbers.chain_diagonal_sums;
        arguments.counters = numbers.counters;
        if (!staged) {
          launch_vjp(arguments, chosen.wide, shape_of(chosen, count, launch->stream));
        } else {
          std::int64_t c = 0;
          do {  // without columns too: the gradients are zero then
            launch_staged(StagedVjp<F>{arguments, panels_of<F>(call, numbers, c), 0, c == 0,
                                       c + call.staged_width >= columns},
                          walk, launch->stream);
            c += call.staged_width;
          } while (c < columns);
        }
        if constexpr (is_complex_v<F>) {
          PhasesArguments<R> phases{};
          phases.problem = coefficients;
          phases.stages = walk.stages;
          phases.stage_count = walk.stage_count;
          phases.slots = plan.slots;
          phases.sums = numbers.sums;
          phases.diagonal_sums = numbers.diagonal_sums;
          phases.diagonal = numbers.diagonal_of_w;
          phases.inverse = problem.inverse;
          phases.gangles = problem.gangles.data;
          phases.gphases = problem.gphases.data;
          phases.gdiagonal = problem.gdiagonal.data;
          phases.gangle_stride = problem.gangles.stride;
          phases.gphase_stride = problem.gphases.stride;
          phases.gdiagonal_stride = problem.gdiagonal.stride;
          phases.gradients = of_gradients;
          launch_phases(phases, {count, 1, kPhaseThreads, 0, launch->stream});
        }
      });
}

template <std::size_t N>
void refuse_shared(const StridedLoop<N>& matrices, std::size_t operand, bool present,
                   const char* name) {
  // Without matrices nothing is repeated, but strides may be 0.
  if (present && matrices.size() > 0 && matrices.repeats(operand)) {
    throw std::invalid_argument(std::string(name) +
                                " must have an entry of its own for every matrix on a GPU");
  }
}

template <class T>
WorkspaceSize vjp(const VjpProblem<T>& problem, bool from_identity, int device,
                  const LaunchOptions* launch) {
  refuse_shared(problem.matrices, 7, true, "gangles");
  refuse_shared(problem.matrices, 8, bool(problem.gphases), "gphases");
  refuse_shared(problem.matrices, 9, bool(problem.gdiagonal), "gdiagonal");
  return with_field<T>(problem.parameters, [&](auto field) {
    return vjp_in<T, decltype(field)>(problem, from_identity, device, launch);
  });
}

template <class T>
WorkspaceSize checked_rotate(const ArrayView<const T>& x, const Parameters<real_t<T>>& parameters,
                             const Schedule& schedule, const ArrayView<T>& y,
                             const RotateOptions& options, int device,
                             const LaunchOptions* launch) {
  const RotateProblem<T> problem = validate::rotate<T>(x, parameters, schedule, y, options);
  if (validate::destroys_input<T>(x, parameters, y)) {
    throw std::invalid_argument("out must not overlap an input on a GPU, but may be x itself");
  }
  return with_field<T>(problem.parameters, [&](auto field) {
    return rotate_in<T, decltype(field)>(problem, device, launch);
  });
}

}  // namespace

void prepare(const Schedule& schedule, int device) {
  const DeviceGuard guard(device);
  device_plan_of(schedule);
}

template <class T>
void rotate(const not_deduced_t<ArrayView<const T>>& x, const Parameters<real_t<T>>& parameters,
            const Schedule& schedule, const not_deduced_t<ArrayView<T>>& y,
            const RotateOptions& options, const LaunchOptions& launch) {
  const DeviceGuard guard(launch.device);
  checked_rotate<T>(x, parameters, schedule, y, options, guard.device(), &launch);
}

template <class T>
WorkspaceSize rotate_workspace(const not_deduced_t<ArrayView<const T>>& x,
                               const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                               const not_deduced_t<ArrayView<T>>& y, const RotateOptions& options,
                               int device) {
  const DeviceGuard guard(device);
  return checked_rotate<T>(x, parameters, schedule, y, options, guard.device(), nullptr);
}

template <class T>
void matrix(const Parameters<real_t<T>>& parameters, const Schedule& schedule,
            const not_deduced_t<ArrayView<T>>& U, const LaunchOptions& launch) {
  const DeviceGuard guard(launch.device);
  matrix_in(validate::matrix<T>(parameters, schedule, U), guard.device(), &launch);
}

template <class T>
WorkspaceSize matrix_workspace(const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                               const not_deduced_t<ArrayView<T>>& U, int device) {
  const DeviceGuard guard(device);
  return matrix_in(validate::matrix<T>(parameters, schedule, U), guard.device(), nullptr);
}

template <class T>
void rotate_vjp(const not_deduced_t<ArrayView<const T>>& y,
                const not_deduced_t<ArrayView<const T>>& gy,
                const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                const not_deduced_t<ArrayView<T>>& gx,
                const ParameterGradients<real_t<T>>& gradients, const RotateOptions& options,
                const LaunchOptions& launch) {
  const DeviceGuard guard(launch.device);
  vjp(validate::rotate_vjp<T>(y, gy, parameters, schedule, gx, gradients, options), false,
      guard.device(), &launch);
}

template <class T>
WorkspaceSize rotate_vjp_workspace(const not_deduced_t<ArrayView<const T>>& y,
                                   const not_deduced_t<ArrayView<const T>>& gy,
                                   const Parameters<real_t<T>>& parameters,
                                   const Schedule& schedule, const not_deduced_t<ArrayView<T>>& gx,
                                   const ParameterGradients<real_t<T>>& gradients,
                                   const RotateOptions& options, int device) {
  const DeviceGuard guard(device);
  return vjp(validate::rotate_vjp<T>(y, gy, parameters, schedule, gx, gradients, options), false,
             guard.device(), nullptr);
}

template <class T>
void matrix_vjp(const not_deduced_t<ArrayView<const T>>& U,
                const not_deduced_t<ArrayView<const T>>& gU,
                const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                const ParameterGradients<real_t<T>>& gradients, const LaunchOptions& launch) {
  const DeviceGuard guard(launch.device);
  vjp(validate::matrix_vjp<T>(U, gU, parameters, schedule, gradients), true, guard.device(),
      &launch);
}

template <class T>
WorkspaceSize matrix_vjp_workspace(const not_deduced_t<ArrayView<const T>>& U,
                                   const not_deduced_t<ArrayView<const T>>& gU,
                                   const Parameters<real_t<T>>& parameters,
                                   const Schedule& schedule,
                                   const ParameterGradients<real_t<T>>& gradients, int device) {
  const DeviceGuard guard(device);
  return vjp(validate::matrix_vjp<T>(U, gU, parameters, schedule, gradients), true, guard.device(),
             nullptr);
}

GIVENS_CUDA_INSTANTIATE_ALL

}  // namespace givens::cuda
