// The order of U's columns in a panel. Compiled for each instruction set; see
// engine_headers.hpp.
#pragma once

#include "cpu/simd/shuffle-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// The order of U's columns `first` .. first + count - 1 in a panel. Where it pays, even columns
// come before odd ones: see Plan::columns_by_parity.
struct ColumnOrder {
  // `reals` in a row of each column.
  ColumnOrder(const Plan& plan, std::int64_t first_column, std::int64_t columns, std::int64_t reals)
      : first(first_column),
        count(columns),
        reals_of_each(reals),
        by_parity(plan.columns_by_parity && NonzeroStructure::pays(plan) && reals == 1 &&
                  columns % (2 * kMaskedReals) == 0) {}

  std::int64_t place_of(std::int64_t column) const {
    return by_parity ? column % 2 * (count / 2) + column / 2 : column;
  }

  void find_nonzeros(const Plan& plan, NonzeroStructure& nonzeros) const {
    std::int32_t coordinates[kMostColumns];
    for (std::int64_t c = 0; c < count; ++c) {
      coordinates[place_of(c)] = static_cast<std::int32_t>(first + c);
    }
    nonzeros.find(plan, coordinates, count, reals_of_each);
  }

  static constexpr std::int64_t kMostColumns = 8 * kMaskedReals;
  const std::int64_t first;
  const std::int64_t count;
  const std::int64_t reals_of_each;
  const bool by_parity;
};

// Sorts the elements of a panel's rows from the natural order into ColumnOrder's, or back.
template <bool Back, class R>
void order_columns(const ColumnOrder& order, R* panel, std::int64_t rows, std::int64_t width) {
  if (!order.by_parity) return;
  constexpr std::int64_t L = kLanes<R>;
  const std::int64_t half = order.count / 2;
  for (R* row = panel; row < panel + rows * width; row += width) {
    R before[ColumnOrder::kMostColumns];
    std::copy_n(row, order.count, before);
    for (std::int64_t w = 0; w < half; w += L) {
      if constexpr (Back) {
        const Vector<R> u = load(before + w);
        const Vector<R> v = load(before + half + w);
        store(row + 2 * w, shuffle<FirstHalvesInTurn>(u, v));
        store(row + 2 * w + L, shuffle<SecondHalvesInTurn>(u, v));
      } else {
        const Vector<R> u = load(before + 2 * w);
        const Vector<R> v = load(before + 2 * w + L);
        store(row + w, shuffle<EvenLanes>(u, v));
        store(row + half + w, shuffle<OddLanes>(u, v));
      }
    }
  }
}

}  // namespace givens::cpu::GIVENS_ISA
