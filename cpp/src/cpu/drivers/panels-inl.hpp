// What the drivers know of panels: how wide they are, which vectors they hold, and how vectors of
// any size go through the steps. Compiled for each instruction set; see engine_headers.hpp.
#pragma once

#include "cpu/coefficients/cache-inl.hpp"
#include "cpu/kernels/steps-inl.hpp"
#include "cpu/panels/packing-inl.hpp"
#include "cpu/panels/range_check-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Reals in a row of the widest panels.
inline constexpr std::int64_t kWidestPanel = 128;

// The widest panel of vectors. Where there are few rotations, coefficients are read soon enough,
// and a panel should leave room in the second-level cache; else fewer panels read them less often.
template <class F>
std::int64_t widest_panel(const Plan& plan) {
  constexpr std::int64_t kFewRotations = 16;  // for each row
  constexpr std::int64_t kBytes = std::int64_t{1} << 19;
  if (plan.rotations >= kFewRotations * plan.rows) return kWidestPanel;
  const auto reals = kBytes / static_cast<std::int64_t>(sizeof(real_t<F>));
  return std::clamp(reals / std::max(plan.rows, std::int64_t{1}), 2 * kPackReals<F>, kWidestPanel);
}

// Reals in a row of a panel of `columns` columns, or of as many of them as fill `widest` reals. It
// depends on the problem only, never on threads.
template <class F>
std::int64_t panel_width(std::int64_t columns, std::int64_t widest) {
  const std::int64_t wanted = std::min(kReals<F> * columns, widest);
  return std::max((wanted + kPackReals<F> - 1) / kPackReals<F>, std::int64_t{1}) * kPackReals<F>;
}

// Vectors of T in panels of F.
template <class T, class F>
struct VectorPanels {
  VectorPanels(const Plan& plan, std::int64_t vectors)
      : count(vectors),
        width(panel_width<F>(kReals<T> / kReals<F> * vectors, widest_panel<F>(plan))),
        in_each(width / kReals<T>) {}

  std::int64_t panels() const { return (count + in_each - 1) / in_each; }
  Range of(std::int64_t panel) const {
    return {panel * in_each, std::min((panel + 1) * in_each, count)};
  }

  const std::int64_t count;
  const std::int64_t width;    // reals in a row of a panel
  const std::int64_t in_each;  // vectors in a panel
};

// The vectors `range` of an operand as columns of F. `offsets` is where theirs are kept.
template <class T, class F, class Data, class Vectors>
auto columns_of(Data* data, std::int64_t stride, const Vectors& vectors, std::size_t operand,
                Range range, std::vector<std::int64_t>& offsets) {
  constexpr std::int64_t each = kReals<T> / kReals<F>;  // columns of a vector
  offsets.clear();
  for (std::int64_t v = range.first; v < range.last; ++v) {
    const std::int64_t offset = kReals<T> * vectors.at(v)[operand];
    for (std::int64_t part = 0; part < each; ++part) offsets.push_back(offset + part);
  }
  using S = std::conditional_t<std::is_const_v<Data>, const storage_t<T>, storage_t<T>>;
  return Columns<S>{reinterpret_cast<S*>(data), kReals<T> * stride, offsets.data(),
                    each * (range.last - range.first)};
}

// Calls run(panels, in_range, may_flush) for panels whose columns belong together. Vectors beyond
// `largest` go alone, so that the results of the others do not depend on them: then it is called
// twice, with zeros in place of the vectors that go with the other call.
template <std::size_t N, class F, class Run>
void run_by_range(const std::array<real_t<F>*, N>& panels, std::int64_t rows, std::int64_t width,
                  real_t<F> largest, Run&& run) {
  using R = real_t<F>;
  const auto check = [&] {
    RangeCheck out{true, true};
    for (const R* panel : panels) {
      const RangeCheck found = range_check(panel, rows, width, largest);
      out = {out.in_range && found.in_range, out.may_flush && found.may_flush};
    }
    return out;
  };
  const RangeCheck all = check();
  if (all.in_range) {
    run(panels, true, all.may_flush);
    return;
  }
  std::vector<char> chosen(static_cast<std::size_t>(width));
  for (const R* panel : panels) {
    const std::vector<char> excessive = excessive_columns<F>(panel, rows, width, largest);
    for (std::size_t c = 0; c < chosen.size(); ++c) chosen[c] |= excessive[c];
  }
  const runtime::Scratch<R> memory(static_cast<std::int64_t>(N) * rows * width);
  std::array<R*, N> others;
  for (std::size_t p = 0; p < N; ++p) {
    others[p] = memory.data() + static_cast<std::int64_t>(p) * rows * width;
    set_apart(panels[p], others[p], rows, width, chosen);
  }
  run(panels, true, check().may_flush);
  run(others, false, false);
  for (std::size_t p = 0; p < N; ++p) bring_back(panels[p], others[p], rows, width, chosen);
}

}  // namespace givens::cpu::GIVENS_ISA
