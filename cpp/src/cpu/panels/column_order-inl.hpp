// The order in which a panel has U's columns. Compiled for each instruction set; see
// engine_headers.hpp.
#if defined(GIVENS_CPU_PANELS_COLUMN_ORDER_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_PANELS_COLUMN_ORDER_INL_HPP
#undef GIVENS_CPU_PANELS_COLUMN_ORDER_INL_HPP
#else
#define GIVENS_CPU_PANELS_COLUMN_ORDER_INL_HPP
#endif

#include "cpu/simd/vector_pack-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// The order of U's columns `first` .. first + count - 1 in a panel. See Plan::columns_by_parity.
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

// Puts the elements of a panel's rows that are by_parity in the order of ColumnOrder, or back.
template <bool Back, class R>
void order_columns(const ColumnOrder& order, R* panel, std::int64_t rows, std::int64_t width) {
  if (!order.by_parity) return;
  typedef std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t> Index;
  typedef Index Order __attribute__((vector_size(GIVENS_VECTOR_BYTES)));
  constexpr int L = static_cast<int>(kLanes<R>);
  Order even{}, low{};
  for (int k = 0; k < L; ++k) {
    even[k] = 2 * k;
    low[k] = k / 2 + k % 2 * L;
  }
  const std::int64_t half = order.count / 2;
  for (R* row = panel; row < panel + rows * width; row += width) {
    R before[ColumnOrder::kMostColumns];
    std::copy_n(row, order.count, before);
    for (std::int64_t w = 0; w < half; w += L) {
      if constexpr (Back) {
        const Vector<R> u = load(before + w);
        const Vector<R> v = load(before + half + w);
        store(row + 2 * w, __builtin_shuffle(u, v, low));
        store(row + 2 * w + L, __builtin_shuffle(u, v, low + L / 2));
      } else {
        const Vector<R> u = load(before + 2 * w);
        const Vector<R> v = load(before + 2 * w + L);
        store(row + w, __builtin_shuffle(u, v, even));
        store(row + half + w, __builtin_shuffle(u, v, even + 1));
      }
    }
  }
}

}  // namespace givens::cpu::GIVENS_ISA

#endif
