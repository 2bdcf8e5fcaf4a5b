// Taking vectors through butterfly rounds, strip by strip. Compiled for each instruction set; see
// engine_headers.hpp.
#pragma once

#include "cpu/kernels/sums-inl.hpp"
#include "cpu/strips/kernels-inl.hpp"
#include "cpu/strips/packing-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Whether a call takes its vectors in strips: if the schedule has butterfly rounds only, and the
// vectors of all operands are contiguous and not shorter than a register.
template <class T, class... Operands>
bool strips_apply(const Plan& plan, const Operands&... operands) {
  return !plan.butterfly.bits.empty() &&
         static_cast<std::int64_t>(plan.row_of_coordinate.size()) >= kLanes<real_t<T>> &&
         ((!operands || operands.stride == 1) && ...);
}

// Takes Rows rows through all steps.
template <int Rows, class F, bool Gradient>
void run_strip_steps(Strips<F, Gradient> strips, const StripCoefficients<F>& coefficients) {
  const real_t<F>* c = coefficients.data();
  real_t<F>* sums = strips.sums;
  for (const StripStep& step : coefficients.program.steps) {
    std::tie(c, sums) = run_strip_step<Rows>(strips, coefficients.program, step, c, sums);
    for (auto& strip : strips.strip) {
      strip.from = strip.to;
      strip.from_row = strip.to_row;
    }
  }
}

template <class F, bool Gradient>
void run_strips(Strips<F, Gradient> strips, std::int64_t rows,
                const StripCoefficients<F>& coefficients) {
  const auto run = [&](auto count) {
    run_strip_steps<count.value>(strips, coefficients);
    for (auto& strip : strips.strip) strip.skip(count.value);
    rows -= count.value;
  };
  constexpr int kRows = kStripRows<F, Gradient>;
  while (rows >= kRows) run(std::integral_constant<int, kRows>{});
  while (rows > 0) run(std::integral_constant<int, 1>{});
}

// The strip of `rotate`, or the strips y and g of a gradient, and memory for them.
template <class T, class F, bool Gradient>
class StripMemory {
 public:
  using R = real_t<F>;
  static constexpr int kCount = Strips<F, Gradient>::kCount;

  // The vectors that are in a strip at once.
  static constexpr std::int64_t kVectors =
      std::max<std::int64_t>(1, kStripRows<F, Gradient> / kRowsOfVector<T, F>);

  explicit StripMemory(const Plan& plan)
      : n_(static_cast<std::int64_t>(plan.row_of_coordinate.size())),
        reals_((n_ + kLanes<R> - 1) / kLanes<R> * kPackReals<F>),
        gaps_(plan.butterfly.gaps || n_ % kLanes<R> != 0) {
    memory_.resize(kCount * kVectors * kRowsOfVector<T, F> * row());
  }

  // What follows is about `count` vectors, at most kVectors.
  void start(const StripCoefficients<F>& coefficients, std::int64_t count) {
    count_ = count;
    may_stay_ = kMayStay && !gaps_ && coefficients.program.is_complete;
  }

  // Lets strip p hold the vectors at the offsets at(0), at(1), ... They are copied, with `copy` in
  // any case, unless the first step can read them where they are.
  template <class Data, class At>
  void read(int p, const Data* data, bool copy, At&& at) {
    R* const memory = memory_.data() + p * kVectors * kRowsOfVector<T, F> * row();
    strips_.strip[p] = {memory, row(), memory, row()};
    if constexpr (kMayStay) {
      const std::int64_t step = uniform_step(at);
      if (!copy && may_stay_ && step >= 0) {
        strips_.strip[p].from = data + at(0);
        strips_.strip[p].from_row = step;
        return;
      }
    }
    for (std::int64_t v = 0; v < count_; ++v) {
      pack_strip<T, F>(reinterpret_cast<const storage_t<T>*>(data + at(v)), n_, row_of(p, v),
                       row());
    }
  }

  // Lets the steps write strip p to vectors at the offsets at(0), ..., if they can.
  template <class Data, class At>
  void write_to(int p, Data* data, At&& at) {
    if constexpr (kMayStay) {
      const std::int64_t step = uniform_step(at);
      if (may_stay_ && step >= 0) {
        strips_.strip[p].to = data + at(0);
        strips_.strip[p].to_row = step;
      }
    }
  }

  // Writes strip p to vectors at the offsets at(0), ..., unless it is there.
  template <class Data, class At>
  void write(int p, Data* data, At&& at) const {
    if constexpr (kMayStay) {
      if (count_ > 0 && strips_.strip[p].to == data + at(0)) return;
    }
    for (std::int64_t v = 0; v < count_; ++v) {
      unpack_strip<T, F>(row_of(p, v), row(), n_, reinterpret_cast<storage_t<T>*>(data + at(v)));
    }
  }

  // Multiplies by D the strip of `rotate`, or g of a gradient; with Conjugate all strips by the
  // conjugate of D.
  template <bool Conjugate>
  void multiply_by_diagonal(const StripCoefficients<F>& coefficients) const {
    if (!coefficients.diagonal()) return;
    for (int p = Conjugate ? 0 : kCount - 1; p < kCount; ++p) {
      multiply_strip<Conjugate, F>(coefficients.diagonal(), reals_, row_of(p, 0),
                                   strips_.strip[p].to_row, rows());
    }
  }

  // Absent rotations leave coordinates as they are by multiplying others by 0, which must be
  // finite.
  bool may_run() const {
    if (!gaps_) return true;
    for (int p = 0; p < kCount; ++p) {
      if (!strip_is_finite(row_of(p, 0), rows() * row())) return false;
    }
    return true;
  }

  void run(const StripCoefficients<F>& coefficients, R* sums = nullptr) {
    strips_.sums = sums;
    run_strips<F, Gradient>(strips_, rows(), coefficients);
  }

  // As PanelPair has it.
  void add_diagonal_of_w(std::vector<double>& out) const {
    if constexpr (is_complex_v<F>) {
      for (std::int64_t k = 0; k < n_; k += kLanes<R>) {
        Vector<R> total{};
        for (std::int64_t r = 0; r < rows(); ++r) {
          const std::int64_t place = r * row() + kReals<F> * k;
          add_imaginary_products<F>(total, strips_.strip[0].to + place,
                                    strips_.strip[1].to + place);
        }
        R lanes[kLanes<R>];
        store(lanes, total);
        for (std::int64_t lane = 0; lane < std::min(kLanes<R>, n_ - k); ++lane) {
          out[static_cast<std::size_t>(k + lane)] += 2 * static_cast<double>(lanes[lane]);
        }
      }
    }
  }

 private:
  // Whether vectors lie in memory as in a strip.
  static constexpr bool kMayStay = std::is_same_v<T, R>;

  std::int64_t row() const { return reals_ + kPackReals<F>; }
  std::int64_t rows() const { return count_ * kRowsOfVector<T, F>; }
  R* row_of(int p, std::int64_t vector) const {
    return strips_.strip[p].to + vector * kRowsOfVector<T, F> * strips_.strip[p].to_row;
  }

  // The distance between vectors that follow one another, or -1 if it varies.
  template <class At>
  std::int64_t uniform_step(At&& at) const {
    const std::int64_t step = count_ > 1 ? at(1) - at(0) : 0;
    for (std::int64_t v = 2; v < count_; ++v) {
      if (at(v) - at(v - 1) != step) return -1;
    }
    return step;
  }

  const std::int64_t n_;
  const std::int64_t reals_;  // of a row, without the pack of zeros behind it
  const bool gaps_;
  std::int64_t count_ = 0;  // of vectors
  bool may_stay_ = false;   // see read and write_to
  runtime::Scratch<R> memory_;
  Strips<F, Gradient> strips_;
};

}  // namespace givens::cpu::GIVENS_ISA
