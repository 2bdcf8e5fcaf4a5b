// How work is shared out to threads and panels. Compiled for each instruction set; see
// engine_headers.hpp.
#if defined(GIVENS_CPU_DRIVERS_SHARING_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_DRIVERS_SHARING_INL_HPP
#undef GIVENS_CPU_DRIVERS_SHARING_INL_HPP
#else
#define GIVENS_CPU_DRIVERS_SHARING_INL_HPP
#endif

#include "cpu/coefficients/cache-inl.hpp"
#include "cpu/simd/vector_pack-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Reals in a row of the widest panels.
inline constexpr std::int64_t kWidestPanel = 128;

// Reals in a row of a panel of `columns` columns, or of as many of them as fill `widest` reals. It
// depends on the problem only, never on threads.
template <class F>
std::int64_t panel_width(std::int64_t columns, std::int64_t widest) {
  const std::int64_t wanted = std::min(kReals<F> * columns, widest);
  return std::max((wanted + kPackReals<F> - 1) / kPackReals<F>, std::int64_t{1}) * kPackReals<F>;
}

// The slots that hold coordinates first .. first + count - 1, as a range.
inline Range rows_of(const Plan& plan, std::int64_t first, std::int64_t count) {
  if (plan.merge_levels.size() == 1) return {0, plan.rows};
  return {first, first + count};  // merge_levels come with slots in the order of the coordinates
}

// Calls body(steps, first real, reals) for the parts of a level that concern a panel of the columns
// of a matrix that is block-diagonal with the level's blocks: the steps of blocks that hold any of
// the slots `range`, and the panel's columns in the same blocks. From last to first with Adjoint.
template <class F, bool Adjoint, class Body>
void for_each_part(const MergeLevel& level, Range range, std::int64_t width, Body&& body) {
  constexpr std::int64_t L = kLanes<real_t<F>>;
  const auto blocks = static_cast<std::int64_t>(level.first.size()) - 1;
  const auto steps = [&](std::int64_t first_row, std::int64_t last_row) {
    const std::int64_t first = std::min(first_row / level.block, blocks);
    const std::int64_t last = std::min((last_row + level.block - 1) / level.block, blocks);
    return Range{level.first[static_cast<std::size_t>(first)],
                 level.first[static_cast<std::size_t>(last)]};
  };
  // Small blocks are taken together, so that they have whole segments.
  const std::int64_t part = std::max(level.block, L);
  const std::int64_t parts = (range.last - range.first + part - 1) / part;
  if (part % level.block != 0 || part % L != 0 || range.first % part != 0) {
    body(steps(range.first, range.last), std::int64_t{0}, width);
    return;
  }
  for (std::int64_t p = 0; p < parts; ++p) {
    const std::int64_t column = (Adjoint ? parts - 1 - p : p) * part;
    const std::int64_t row = range.first + column;
    body(steps(row, std::min(row + part, range.last)), kReals<F> * column,
         std::min(kReals<F> * part, width - kReals<F> * column));
  }
}

// Calls body(first real, reals, turned) for the parts of a panel that a step turns; see run_step.
template <class Body>
void for_each_rotated(const Plan& plan, const NonzeroStructure& nonzeros, std::int64_t step,
                      std::int64_t width, Body&& body) {
  const ColumnMask rotated = nonzeros.rotated_by(step);
  if (rotated == 0) return;
  if (plan.steps[static_cast<std::size_t>(step)].pattern == Pattern::pairs) {
    body(std::int64_t{0}, width, nonzeros.rotated_by_pairs(plan, step));
    return;
  }
  for_each_run(rotated, width, [&](std::int64_t first, std::int64_t last) {
    body(first, last - first, static_cast<const ColumnMask*>(nullptr));
  });
}

// Rotations times columns for which waking a thread pays.
inline constexpr std::int64_t kWorkOfAThread = std::int64_t{1} << 20;

template <class Problem>
int threads_for(const Problem& problem, std::int64_t columns) {
  const std::int64_t work = problem.schedule.num_rotations() * std::max<std::int64_t>(columns, 1) *
                            problem.matrices.size();
  const int most = problem.num_threads > 0 ? problem.num_threads : runtime::default_num_threads();
  return static_cast<int>(std::clamp<std::int64_t>(work / kWorkOfAThread, 1, most));
}

// Whether coefficients are made run of steps by run of steps: if they are many, and only one panel
// of one matrix uses them.
template <class T, class Problem>
bool by_runs_of_steps(const Problem& problem, const Plan& plan) {
  const bool shared = problem.matrices.size() > 1 && problem.matrices.repeats(0);
  return plan.rotations > kRotationsInRun && kReals<T> * problem.vectors.size() <= kWidestPanel &&
         !shared;
}

// The threads that then pay, of `most`: those for a single matrix could only help to make whole
// programs, with which two take as long as one takes by runs.
template <class Problem>
int threads_by_runs(const Problem& problem, int most) {
  return problem.matrices.size() == 1 && most == 2 ? 1 : most;
}

// How the work on some matrices is shared out: by matrix if there are enough of them, else each
// matrix in parts (panels of its columns). What a part computes does not depend on it.
template <class Part, class WholeMatrix>
void share_out(std::int64_t matrices, bool matrices_are_independent, int threads, Part&& in_parts,
               WholeMatrix&& whole) {
  if (threads > 1 && matrices_are_independent && matrices >= 2 * threads) {
    const std::int64_t chunks = std::min<std::int64_t>(matrices, 8 * std::int64_t{threads});
    auto chunk = [&](std::int64_t k) { whole(matrices * k / chunks, matrices * (k + 1) / chunks); };
    runtime::parallel_for(chunks, threads, chunk);
  } else if (threads > 1) {
    in_parts(threads);
  } else {
    whole(0, matrices);
  }
}

// Runs a batch.hpp class on all matrices, a multiple of kLanes at a time.
template <class R, class Batch>
void run_batch(const Batch& batch, std::int64_t matrices, int threads) {
  const std::int64_t chunks = (matrices + kLanes<R> - 1) / kLanes<R>;
  const std::int64_t parts =
      std::min<std::int64_t>(chunks, threads == 1 ? 1 : 8 * std::int64_t{threads});
  auto part = [&](std::int64_t k) {
    batch.run(chunks * k / parts * kLanes<R>,
              std::min(chunks * (k + 1) / parts * kLanes<R>, matrices));
  };
  runtime::parallel_for(parts, threads, part);
}

}  // namespace givens::cpu::GIVENS_ISA

#endif
