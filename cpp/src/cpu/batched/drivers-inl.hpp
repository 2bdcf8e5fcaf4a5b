// Many small matrices: kLanes of them at once, each in a lane of its own. Nothing that one matrix
// holds reaches another, so that a result depends neither on the matrix's place in the batch nor on
// how the batch is divided. Compiled for each instruction set; see engine_headers.hpp.
#if defined(GIVENS_CPU_BATCHED_DRIVERS_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_BATCHED_DRIVERS_INL_HPP
#undef GIVENS_CPU_BATCHED_DRIVERS_INL_HPP
#else
#define GIVENS_CPU_BATCHED_DRIVERS_INL_HPP
#endif

#include "cpu/batched/lanes-inl.hpp"
#include "cpu/batched/sincos-inl.hpp"
#include "cpu/batched/sweep-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Up to these it is faster than the general functions. `Numbers`, real or complex, are those of a
// matrix's columns or vectors.
inline constexpr std::int64_t kBatchLargestN = 32;
inline constexpr std::int64_t kBatchMostNumbers = 32 * 32;

template <class T>
bool batch_applies(const Schedule& schedule, std::int64_t matrices, std::int64_t vectors) {
  return schedule.n() <= kBatchLargestN && schedule.num_rotations() > 0 && vectors > 0 &&
         vectors <= kBatchMostNumbers / schedule.n() && matrices >= kLanes<real_t<T>>;
}

// Offsets of the real columns of all vectors.
template <class T, std::size_t Operands>
std::vector<std::int64_t> batch_columns(const StridedLoop<Operands>& vectors, std::size_t operand) {
  std::vector<std::int64_t> out;
  vectors.for_each([&](const auto& vector) {
    for (std::int64_t part = 0; part < kReals<T>; ++part) {
      out.push_back(kReals<T> * vector[operand] + part);
    }
  });
  return out;
}

// The parameters of a chunk's matrices.
template <class R>
class BatchParameters {
 public:
  BatchParameters(const Schedule& schedule, const MatrixParameters<R>& parameters)
      : parameters_(parameters),
        n_(schedule.n()),
        rotations_(schedule.num_rotations()),
        angles_(layout_of_vector(parameters.angles, rotations_)),
        phases_(layout_of_vector(parameters.phases, rotations_)),
        diagonal_(layout_of_vector(parameters.diagonal, n_)),
        signs_(layout_of_vector(parameters.signs, n_)) {}

  // Where the parameters of one chunk are kept.
  class Memory {
   public:
    explicit Memory(const BatchParameters& parameters)
        : size_(rounded_up(parameters.all_angles() * kLanes<R>)),
          buffer_(3 * size_ + parameters.n_ * kLanes<R>) {
      std::fill_n(angles(), size_, R(0));
    }
    // Of angles, phases and diagonal, one after the other.
    R* angles() const { return buffer_.data(); }
    R* sines() const { return buffer_.data() + size_; }
    R* cosines() const { return buffer_.data() + 2 * size_; }
    R* signs() const { return buffer_.data() + 3 * size_; }

   private:
    static std::int64_t rounded_up(std::int64_t count) {
      return (count + kAnglesAtOnce<R> - 1) / kAnglesAtOnce<R> * kAnglesAtOnce<R>;
    }

    std::int64_t size_;
    runtime::Scratch<R> buffer_;
  };

  // Fills the memory.
  template <std::size_t Operands>
  BatchAngles<R> load(const Chunk<R, Operands>& chunk, const Memory& memory) const {
    load_lanes<R>(parameters_.angles.data, chunk.operand(parameters_.kAngles), angles_,
                  memory.angles());
    if (parameters_.phases) {
      load_lanes<R>(parameters_.phases.data, chunk.operand(parameters_.kPhases), phases_,
                    memory.angles() + phases_at());
    }
    if (parameters_.diagonal) {
      load_lanes<R>(parameters_.diagonal.data, chunk.operand(parameters_.kDiagonal), diagonal_,
                    memory.angles() + diagonal_at());
    }
    sines_and_cosines(memory.angles(), all_angles() * kLanes<R>, memory.sines(), memory.cosines());
    if (parameters_.signs) {
      load_lanes<R>(parameters_.signs.data, chunk.operand(parameters_.kSigns), signs_,
                    memory.signs());
    }
    return {memory.sines(), memory.cosines(), memory.sines() + phases_at(),
            memory.cosines() + phases_at()};
  }

  // Multiplies the rows of a block by their signs or by exp(id), or with Adjoint by exp(-id).
  template <bool Adjoint>
  void multiply_by_factors(const Memory& memory, std::int64_t columns, std::int64_t row_step,
                           R* block) const {
    if (parameters_.signs) {
      batch_multiply_by_signs(memory.signs(), n_, columns, row_step, block);
    }
    if (parameters_.diagonal) {
      batch_multiply_by_phases<Adjoint>(memory.sines() + diagonal_at(),
                                        memory.cosines() + diagonal_at(), n_, columns, row_step,
                                        block);
    }
  }

  std::int64_t rotations() const { return rotations_; }

 private:
  // Where phases and diagonal start.
  std::int64_t phases_at() const { return rotations_ * kLanes<R>; }
  std::int64_t diagonal_at() const { return (parameters_.phases ? 2 : 1) * phases_at(); }
  std::int64_t all_angles() const {
    return (parameters_.phases ? 2 : 1) * rotations_ + (parameters_.diagonal ? n_ : 0);
  }

  MatrixParameters<R> parameters_;
  std::int64_t n_;
  std::int64_t rotations_;
  Layout angles_;
  Layout phases_;
  Layout diagonal_;
  Layout signs_;
};

// Calls body(chunk) for the matrices first .. last - 1.
template <class R, std::size_t Operands, class Body>
void for_each_chunk(const StridedLoop<Operands>& matrices, std::int64_t first, std::int64_t last,
                    Body&& body) {
  for (; first < last; first += kLanes<R>) {
    body(Chunk<R, Operands>(matrices, first, std::min(kLanes<R>, last - first)));
  }
}

// The classes below are made once for a problem, with F from with_phase_type. `run` computes
// matrices first .. last - 1 and may be called from many threads at once for different ones.

template <class T, class F>
class BatchMatrix {
 public:
  using R = real_t<T>;

  explicit BatchMatrix(const MatrixProblem<T>& problem)
      : problem_(problem),
        n_(problem.schedule.n()),
        columns_(kReals<T> * problem.schedule.columns()),
        columns_at_once_(batch_columns_at_once<F>(n_, columns_, 1)),
        row_step_(batch_row_step(columns_)),
        parameters_(problem.schedule, problem.parameters),
        rotations_(batch_rotations(problem.schedule, columns_, kReals<T>, true)) {
    std::vector<std::int64_t> columns;
    for (std::int64_t c = 0; c < columns_; ++c) {
      columns.push_back(kReals<T> * (c / kReals<T> * problem.column_stride) + c % kReals<T>);
    }
    u_ = layout_of_columns(n_, kReals<T> * problem.row_stride, columns, kReals<T>, row_step_);
  }

  void run(std::int64_t first, std::int64_t last) const {
    const runtime::FlushSubnormals flush(true);
    const typename BatchParameters<R>::Memory memory(parameters_);
    const runtime::Scratch<R> block(n_ * row_step_ * kLanes<R>);
    for_each_chunk<R>(problem_.matrices, first, last, [&](const auto& chunk) {
      const BatchAngles<R> angles = parameters_.load(chunk, memory);
      fill_with_identity(block.data());
      batch_sweep<F, false>(rotations_, angles, columns_, columns_at_once_, row_step_,
                            block.data());
      parameters_.template multiply_by_factors<false>(memory, columns_, row_step_, block.data());
      store_lanes<R>(reinterpret_cast<R*>(problem_.u), chunk.operand(problem_.kU, kReals<T>), u_,
                     block.data());
    });
  }

 private:
  void fill_with_identity(R* block) const {
    std::fill_n(block, n_ * row_step_ * kLanes<R>, R(0));
    for (std::int64_t c = 0; c < columns_ / kReals<T>; ++c) {
      std::fill_n(block + (c * row_step_ + kReals<T> * c) * kLanes<R>, kLanes<R>, R(1));
    }
  }

  const MatrixProblem<T>& problem_;
  std::int64_t n_;
  std::int64_t columns_;
  std::int64_t columns_at_once_;
  std::int64_t row_step_;
  BatchParameters<R> parameters_;
  std::vector<BatchRotation> rotations_;
  Layout u_;
};

template <class T, class F>
class BatchRotate {
 public:
  using R = real_t<T>;

  explicit BatchRotate(const RotateProblem<T>& problem)
      : problem_(problem),
        n_(problem.schedule.n()),
        columns_(kReals<T> * problem.vectors.size()),
        columns_at_once_(batch_columns_at_once<F>(n_, columns_, 1)),
        row_step_(batch_row_step(columns_)),
        parameters_(problem.schedule, problem.parameters),
        rotations_(batch_rotations(problem.schedule, columns_, kReals<T>, false)),
        x_(layout(problem.x.stride, problem.kVectorX)),
        y_(layout(problem.y.stride, problem.kVectorY)) {}

  void run(std::int64_t first, std::int64_t last) const {
    const typename BatchParameters<R>::Memory memory(parameters_);
    const runtime::Scratch<R> block(n_ * row_step_ * kLanes<R>);
    for_each_chunk<R>(problem_.matrices, first, last, [&](const auto& chunk) {
      const BatchAngles<R> angles = parameters_.load(chunk, memory);
      load_lanes<R>(reinterpret_cast<const R*>(problem_.x.data),
                    chunk.operand(problem_.kX, kReals<T>), x_, block.data());
      if (problem_.inverse) {
        parameters_.template multiply_by_factors<true>(memory, columns_, row_step_, block.data());
        batch_sweep<F, true>(rotations_, angles, columns_, columns_at_once_, row_step_,
                             block.data());
      } else {
        batch_sweep<F, false>(rotations_, angles, columns_, columns_at_once_, row_step_,
                              block.data());
        parameters_.template multiply_by_factors<false>(memory, columns_, row_step_, block.data());
      }
      store_lanes<R>(reinterpret_cast<R*>(problem_.y.data), chunk.operand(problem_.kY, kReals<T>),
                     y_, block.data());
    });
  }

 private:
  Layout layout(std::int64_t stride, std::size_t operand) const {
    return layout_of_columns(n_, kReals<T> * stride, batch_columns<T>(problem_.vectors, operand),
                             kReals<T>, row_step_);
  }

  const RotateProblem<T>& problem_;
  std::int64_t n_;
  std::int64_t columns_;
  std::int64_t columns_at_once_;
  std::int64_t row_step_;
  BatchParameters<R> parameters_;
  std::vector<BatchRotation> rotations_;
  Layout x_;
  Layout y_;
};

// Both gradients: through rotate, and through matrix, where y is U and `from_identity` is true.
// Every matrix must have a gradient of its own, which is written: it was zero.
template <class T, class F>
class BatchVjp {
 public:
  using R = real_t<T>;

  BatchVjp(const VjpProblem<T>& problem, bool from_identity)
      : problem_(problem),
        n_(problem.schedule.n()),
        columns_(kReals<T> * problem.vectors.size()),
        columns_at_once_(batch_columns_at_once<F>(n_, columns_, 2)),
        row_step_(batch_row_step(columns_)),
        parameters_(problem.schedule, problem.parameters),
        // A gradient by the identity, if it is asked for, needs all columns.
        rotations_(
            batch_rotations(problem.schedule, columns_, kReals<T>, from_identity && !problem.gx)),
        y_(layout(problem.y.stride, problem.kVectorY)),
        gy_(layout(problem.gy.stride, problem.kVectorGradY)),
        gx_(problem.gx ? layout(problem.gx.stride, problem.kVectorGradX) : Layout()),
        gangles_(layout_of_vector(problem.gangles, parameters_.rotations())),
        gphases_(layout_of_vector(problem.gphases, parameters_.rotations())),
        gdiagonal_(layout_of_vector(problem.gdiagonal, n_)) {}

  void run(std::int64_t first, std::int64_t last) const {
    const typename BatchParameters<R>::Memory memory(parameters_);
    const std::int64_t size = n_ * row_step_ * kLanes<R>;
    const std::int64_t sums_size = BatchProducts<F>::kSums * parameters_.rotations() * kLanes<R>;
    const runtime::Scratch<R> y(size);
    const runtime::Scratch<R> g(size);
    const runtime::Scratch<R> sums(sums_size);
    const runtime::Scratch<R> of_diagonal(n_ * kLanes<R>);
    for_each_chunk<R>(problem_.matrices, first, last, [&](const auto& chunk) {
      const BatchAngles<R> angles = parameters_.load(chunk, memory);
      load_lanes<R>(reinterpret_cast<const R*>(problem_.y.data),
                    chunk.operand(problem_.kY, kReals<T>), y_, y.data());
      load_lanes<R>(reinterpret_cast<const R*>(problem_.gy.data),
                    chunk.operand(problem_.kGradY, kReals<T>), gy_, g.data());
      std::fill_n(sums.data(), sums_size, R(0));
      if (problem_.inverse) {
        // Through U^H the gradient is minus that through U at x = U y, and gx = U gy.
        sweep<false>(angles, y.data(), g.data(), sums.data());
        sum_diagonal(y.data(), g.data(), of_diagonal.data());
        parameters_.template multiply_by_factors<false>(memory, columns_, row_step_, g.data());
      } else {
        sum_diagonal(y.data(), g.data(), of_diagonal.data());
        for (R* block : {y.data(), g.data()}) {
          parameters_.template multiply_by_factors<true>(memory, columns_, row_step_, block);
        }
        sweep<true>(angles, y.data(), g.data(), sums.data());
      }
      if (problem_.gx) {
        store_lanes<R>(reinterpret_cast<R*>(problem_.gx.data),
                       chunk.operand(problem_.kGradX, kReals<T>), gx_, g.data());
      }
      store_lanes<R>(problem_.gangles.data, chunk.operand(problem_.kGradAngles), gangles_,
                     sums.data());
      if constexpr (is_complex_v<F>) {
        store_lanes<R>(problem_.gphases.data, chunk.operand(problem_.kGradPhases), gphases_,
                       sums.data() + parameters_.rotations() * kLanes<R>);
      }
      if (is_complex_v<T> && problem_.gdiagonal) {
        store_lanes<R>(problem_.gdiagonal.data, chunk.operand(problem_.kGradDiagonal), gdiagonal_,
                       of_diagonal.data());
      }
    });
  }

 private:
  template <bool Adjoint>
  void sweep(const BatchAngles<R>& angles, R* y, R* g, R* sums) const {
    batch_vjp_sweep<F, Adjoint>(rotations_, angles, columns_, columns_at_once_, row_step_, y, g,
                                sums);
    batch_gradients<F, Adjoint>(angles, parameters_.rotations(), sums);
  }

  // From outputs of U before or after the factors of rows, which do not change it.
  void sum_diagonal(const R* y, const R* g, R* sums) const {
    if (!is_complex_v<T> || !problem_.gdiagonal) return;
    batch_diagonal_gradients(n_, columns_, row_step_, problem_.inverse ? R(-1) : R(1), y, g, sums);
  }

  Layout layout(std::int64_t stride, std::size_t operand) const {
    return layout_of_columns(n_, kReals<T> * stride, batch_columns<T>(problem_.vectors, operand),
                             kReals<T>, row_step_);
  }

  const VjpProblem<T>& problem_;
  std::int64_t n_;
  std::int64_t columns_;
  std::int64_t columns_at_once_;
  std::int64_t row_step_;
  BatchParameters<R> parameters_;
  std::vector<BatchRotation> rotations_;
  Layout y_;
  Layout gy_;
  Layout gx_;
  Layout gangles_;
  Layout gphases_;
  Layout gdiagonal_;
};

template <class T>
bool batch_applies(const MatrixProblem<T>& problem) {
  return batch_applies<T>(problem.schedule, problem.matrices.size(), problem.schedule.columns());
}

template <class T>
bool batch_applies(const RotateProblem<T>& problem) {
  return batch_applies<T>(problem.schedule, problem.matrices.size(), problem.vectors.size());
}

template <class T>
bool batch_applies(const VjpProblem<T>& problem) {
  return batch_applies<T>(problem.schedule, problem.matrices.size(), problem.vectors.size()) &&
         problem.gradients_are_separate();
}

}  // namespace givens::cpu::GIVENS_ISA

#endif
