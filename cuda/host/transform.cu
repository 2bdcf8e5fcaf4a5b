// The public functions: they check their arguments and queue kernels.
#include <algorithm>
#include <array>
#include <complex>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "arguments/validate.hpp"
#include "givens/cuda.hpp"
#include "host/device_plan.hpp"
#include "host/instantiations.hpp"
#include "host/tiling.hpp"
#include "host/workspace.hpp"
#include "kernels/launch.hpp"

namespace givens::cuda {

namespace {

// --- Arguments of kernels ---

template <class T>
inline constexpr Storage kStorage = std::is_same_v<T, Half>       ? Storage::float16
                                    : std::is_same_v<T, BFloat16> ? Storage::bfloat16
                                                                  : Storage::full;

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

// Operand `number` of a problem's vectors.
template <class Data, class T, std::size_t N>
Vectors<Data> vectors_of(const Strided<T>& operand, const StridedLoop<N>& vectors,
                         std::size_t number) {
  const bool columns_are_near =
      vectors.depth() > 0 &&
      std::abs(vectors.stride(vectors.depth() - 1, number)) < std::abs(operand.stride);
  using Number = std::remove_const_t<T>;
  return {{operand.data, kStorage<Number>}, kReals<Number> * operand.stride, columns_are_near};
}

// --- What all functions do ---

template <class Arguments>
inline constexpr bool kHasGradients =
    std::is_same_v<Arguments, VjpArguments<typename Arguments::Field>>;

template <class Arguments>
TilingProblem tiling_problem(const DevicePlan& plan, std::int64_t columns, std::int64_t matrices) {
  using F = typename Arguments::Field;
  return {plan.rows,
          plan.widest_stage,
          static_cast<std::size_t>(Arguments::kPanels * plan.rows * kReals<F>) * sizeof(real_t<F>) +
              Arguments::kColumnNumbers * sizeof(std::int64_t),
          Arguments::kColumns,
          Arguments::kLeastLanes,
          columns,
          matrices};
}

// The columns of a panel in global memory: all, in multiples of a warp's, up to 2^26 reals.
template <class Arguments>
int staged_width(const DevicePlan& plan, std::int64_t columns) {
  const std::int64_t unit = 32 * Arguments::kColumns;
  const std::int64_t reals_of_column = plan.rows * kReals<typename Arguments::Field>;
  const std::int64_t most =
      std::max<std::int64_t>((std::int64_t{1} << 26) / reals_of_column / unit, 1);
  return static_cast<int>(unit * std::min(most, (columns + unit - 1) / unit));
}

// Chains of panels that have accumulators of their own: none if there is but one chain, or if
// panels are in global memory.
std::int64_t chains_of(const Tiling& tiling) {
  return tiling.chain > 1 ? (tiling.panels + tiling.chain - 1) / tiling.chain : 0;
}

// The coefficients of a problem, without what depends on the workspace.
template <class F, class Problem>
CoefficientsProblem<real_t<F>> coefficients_problem(const DevicePlan& plan, const DeviceWalk& walk,
                                                    const Problem& problem) {
  using P = MatrixParameters<real_t<F>>;
  CoefficientsProblem<real_t<F>> out{};
  out.steps = walk.steps;
  out.count = walk.step_count;
  out.angle_indices = plan.angle_indices;
  out.coordinate_of_row = plan.coordinate_of_row;
  out.matrix_units = plan.units[kReals<F> - 1];
  out.matrix_rotations = plan.rotations;
  out.parameters = problem.parameters;
  out.matrices = device_loop(problem.matrices,
                             {{P::kAngles, 1}, {P::kPhases, 1}, {P::kDiagonal, 1}, {P::kSigns, 1}});
  out.coordinates = static_cast<std::int32_t>(problem.schedule.n());
  return out;
}

// Queues the kernels for panels in global memory, `width` columns after the other.
template <class Arguments>
void launch_staged_panels(const Arguments& arguments, const DeviceWalk& walk, int width,
                          cudaStream_t stream) {
  const int row_blocks = arguments.walk.rows.count / kRowBlock;
  const auto& numbers = arguments.numbers;
  Staged<Arguments> staged{};
  staged.arguments = arguments;
  staged.panels = {{numbers.panel_y, row_blocks, width}, {numbers.panel_g, row_blocks, width}};
  std::int64_t& column = staged.first_column;
  do {  // without columns too, for gradients that are zero
    staged.first = column == 0;
    staged.last = column + width >= arguments.tiling.columns;
    launch_staged(staged, walk, stream);
    column += width;
  } while (column < arguments.tiling.columns);
}

// Queues the kernels for `columns` columns of every matrix of a problem, or without `launch` only
// finds out the size of the workspace. `arguments` has the operands, `columns_of_vector` and
// `inverse`. After the kernels for the matrices that fit in the workspace at once,
// finish(coefficients, walk) may queue more.
template <class Arguments, class Problem, class Finish>
WorkspaceSize run(Arguments arguments, const Problem& problem, std::int64_t columns, int device,
                  const LaunchOptions* launch, Finish&& finish) {
  using F = typename Arguments::Field;
  using R = real_t<F>;
  const DevicePlan& plan = device_plan_of(problem.schedule);
  const std::int64_t matrices = problem.matrices.size();
  if (matrices == 0 || problem.schedule.n() == 0) return {};
  // Without columns gradients are zero, and nothing else is left to do.
  if (columns == 0 && !kHasGradients<Arguments>) return {};
  const std::int64_t some_columns = std::max<std::int64_t>(columns, 1);
  const TilingProblem tiling_of = tiling_problem<Arguments>(plan, some_columns, matrices);
  const DeviceLimits limits = limits_of(device);
  const bool staged = !fits(tiling_of, limits);
  const ChosenTiling chosen = staged ? ChosenTiling{} : choose_tiling(tiling_of, limits);
  const Tiling& tiling = chosen.tiling;
  const int width = staged ? staged_width<Arguments>(plan, some_columns) : 0;
  const CallSize call{plan,
                      matrices,
                      std::max<std::int64_t>(tiling.panels, 1),
                      kHasGradients<Arguments> ? chains_of(tiling) : 0,
                      bool(problem.parameters.diagonal),
                      kHasGradients<Arguments>,
                      width};
  // Gradients go back through the rotations.
  const bool adjoint = arguments.inverse != kHasGradients<Arguments>;
  const DeviceWalk& walk = adjoint ? plan.backward : plan.forward;
  CoefficientsProblem<R> coefficients = coefficients_problem<F>(plan, walk, problem);
  arguments.tiling = tiling;
  arguments.tiling.columns = columns;
  arguments.signs = problem.parameters.signs;
  arguments.matrix_coordinates = problem.schedule.n();
  arguments.walk = {walk.stages,
                    walk.stage_count,
                    walk.steps,
                    plan.angle_indices,
                    {plan.coordinate_of_row, plan.rows},
                    nullptr,
                    coefficients.matrix_units,
                    plan.rotations,
                    adjoint};

  const WorkspaceSize size = workspace_size<F>(call);
  if (!launch) return size;
  const WorkspaceMemory memory(launch->workspace, size, launch->stream);
  const std::int64_t at_once = matrices_at_once<F>(call, memory.bytes());
  for (std::int64_t first = 0; first < matrices; first += at_once) {
    const std::int64_t count = std::min(at_once, matrices - first);
    const CallNumbers<R> numbers = lay_out_numbers<F>(call, count, memory.data());
    coefficients.first_matrix = arguments.first_matrix = first;
    coefficients.matrix_count = arguments.matrix_count = count;
    coefficients.numbers = arguments.numbers = numbers;
    arguments.walk.coefficients = numbers.coefficients;
    launch_coefficients<F>(coefficients, adjoint, launch->stream);
    if (!staged) {
      launch_panels(arguments, chosen.wide,
                    {(count + tiling.matrices - 1) / tiling.matrices * tiling.panels, 1,
                     chosen.threads, chosen.shared_bytes, launch->stream});
    } else {
      launch_staged_panels(arguments, walk, width, launch->stream);
    }
    finish(coefficients, walk);
  }
  return size;
}

// --- rotate and matrix ---

// Rotating needs no kernels after its walk.
constexpr auto kNothingMore = [](const auto&...) {};

template <class T, class F>
WorkspaceSize rotate_in(const RotateProblem<T>& problem, int device, const LaunchOptions* launch) {
  using P = RotateProblem<T>;
  constexpr std::int64_t kNumber = kReals<T>;
  RotateArguments<F> arguments{};
  arguments.x = vectors_of<ConstNumbers<real_t<F>>>(problem.x, problem.vectors, P::kVectorX);
  arguments.y = vectors_of<Numbers<real_t<F>>>(problem.y, problem.vectors, P::kVectorY);
  arguments.matrices =
      device_loop(problem.matrices,
                  {{MatrixParameters<real_t<T>>::kSigns, 1}, {P::kX, kNumber}, {P::kY, kNumber}});
  arguments.vectors =
      device_loop(problem.vectors, {{P::kVectorX, kNumber}, {P::kVectorY, kNumber}});
  arguments.columns_of_vector = kReals<T> / kReals<F>;
  arguments.inverse = problem.inverse;
  return run(arguments, problem, problem.vectors.size() * arguments.columns_of_vector, device,
             launch, kNothingMore);
}

// U times the identity.
template <class T>
WorkspaceSize matrix_in(const MatrixProblem<T>& problem, int device, const LaunchOptions* launch) {
  using F = std::conditional_t<is_complex_v<T>, T, real_t<T>>;
  using P = MatrixProblem<T>;
  constexpr std::int64_t kNumber = kReals<T>;
  const std::int64_t columns = problem.schedule.columns();
  StridedLoop<1> vectors;
  vectors.add(columns, std::array<std::int64_t, 1>{problem.column_stride});
  RotateArguments<F> arguments{};
  arguments.y =
      vectors_of<Numbers<real_t<F>>>(Strided<T>{problem.u, problem.row_stride}, vectors, 0);
  arguments.matrices =
      device_loop(problem.matrices,
                  {{MatrixParameters<real_t<T>>::kSigns, 1}, {P::kU, kNumber}, {P::kU, kNumber}});
  arguments.vectors = device_loop(vectors, {{0, kNumber}, {0, kNumber}});
  arguments.columns_of_vector = 1;
  return run(arguments, problem, columns, device, launch, kNothingMore);
}

// --- Gradients ---

template <class T, class F>
WorkspaceSize vjp_in(const VjpProblem<T>& problem, bool from_identity, int device,
                     const LaunchOptions* launch) {
  using R = real_t<T>;
  using P = VjpProblem<T>;
  constexpr std::int64_t kNumber = kReals<T>;
  VjpArguments<F> arguments{};
  arguments.y = vectors_of<ConstNumbers<R>>(problem.y, problem.vectors, P::kVectorY);
  arguments.gy = vectors_of<ConstNumbers<R>>(problem.gy, problem.vectors, P::kVectorGradY);
  arguments.gx = vectors_of<Numbers<R>>(problem.gx, problem.vectors, P::kVectorGradX);
  arguments.matrices = device_loop(problem.matrices, {{MatrixParameters<R>::kSigns, 1},
                                                      {P::kY, kNumber},
                                                      {P::kGradY, kNumber},
                                                      {P::kGradX, kNumber},
                                                      {P::kGradAngles, 1}});
  arguments.vectors =
      device_loop(problem.vectors,
                  {{P::kVectorY, kNumber}, {P::kVectorGradY, kNumber}, {P::kVectorGradX, kNumber}});
  arguments.columns_of_vector = kReals<T> / kReals<F>;
  arguments.inverse = problem.inverse;
  arguments.from_identity = from_identity;
  arguments.gangles = problem.gangles;
  const auto finish = [&]([[maybe_unused]] const CoefficientsProblem<R>& coefficients,
                          [[maybe_unused]] const DeviceWalk& walk) {
    if constexpr (is_complex_v<F>) {
      PhasesArguments<R> phases{};
      phases.problem = coefficients;
      phases.stages = walk.stages;
      phases.stage_count = walk.stage_count;
      phases.rows = device_plan_of(problem.schedule).rows;
      phases.inverse = problem.inverse;
      phases.gangles = problem.gangles;
      phases.gphases = problem.gphases;
      phases.gdiagonal = problem.gdiagonal;
      phases.gradients = device_loop(
          problem.matrices, {{P::kGradAngles, 1}, {P::kGradPhases, 1}, {P::kGradDiagonal, 1}});
      launch_phases(phases, launch->stream);
    }
  };
  return run(arguments, problem, problem.vectors.size() * arguments.columns_of_vector, device,
             launch, finish);
}

// --- Checks ---

// `entries` is how many the gradient has for a matrix.
template <std::size_t N>
void refuse_shared(const StridedLoop<N>& matrices, std::size_t operand, std::int64_t entries,
                   const char* name) {
  // Nothing is repeated in an empty array, but its strides may be 0.
  if (entries > 0 && matrices.size() > 0 && matrices.repeats(operand)) {
    throw std::invalid_argument(std::string(name) +
                                " must have an entry of its own for every matrix on a GPU");
  }
}

template <class T>
WorkspaceSize checked_vjp(const VjpProblem<T>& problem, bool from_identity, int device,
                          const LaunchOptions* launch) {
  using P = VjpProblem<T>;
  const std::int64_t rotations = problem.schedule.num_rotations();
  const std::int64_t coordinates = problem.schedule.n();
  refuse_shared(problem.matrices, P::kGradAngles, rotations, "gangles");
  refuse_shared(problem.matrices, P::kGradPhases, problem.gphases ? rotations : 0, "gphases");
  refuse_shared(problem.matrices, P::kGradDiagonal, problem.gdiagonal ? coordinates : 0,
                "gdiagonal");
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
  checked_vjp(validate::rotate_vjp<T>(y, gy, parameters, schedule, gx, gradients, options), false,
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
  return checked_vjp(validate::rotate_vjp<T>(y, gy, parameters, schedule, gx, gradients, options),
                     false, guard.device(), nullptr);
}

template <class T>
void matrix_vjp(const not_deduced_t<ArrayView<const T>>& U,
                const not_deduced_t<ArrayView<const T>>& gU,
                const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                const ParameterGradients<real_t<T>>& gradients, const LaunchOptions& launch) {
  const DeviceGuard guard(launch.device);
  checked_vjp(validate::matrix_vjp<T>(U, gU, parameters, schedule, gradients), true, guard.device(),
              &launch);
}

template <class T>
WorkspaceSize matrix_vjp_workspace(const not_deduced_t<ArrayView<const T>>& U,
                                   const not_deduced_t<ArrayView<const T>>& gU,
                                   const Parameters<real_t<T>>& parameters,
                                   const Schedule& schedule,
                                   const ParameterGradients<real_t<T>>& gradients, int device) {
  const DeviceGuard guard(device);
  return checked_vjp(validate::matrix_vjp<T>(U, gU, parameters, schedule, gradients), true,
                     guard.device(), nullptr);
}

GIVENS_CUDA_INSTANTIATE

}  // namespace givens::cuda
