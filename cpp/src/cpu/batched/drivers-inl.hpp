// Many small matrices: kLanes of them at once, each in a lane of its own. Lanes do not mix, so that
// a result depends neither on the matrix's place in the batch nor on how the batch is divided.
// Compiled for each instruction set; see engine_headers.hpp.
#pragma once

#include "cpu/batched/lanes-inl.hpp"
#include "cpu/batched/sincos-inl.hpp"
#include "cpu/batched/sweep-inl.hpp"
#include "cpu/drivers/sharing-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Up to these sizes the batched functions are faster than the general ones. A matrix's columns or
// vectors have at most kBatchMostNumbers real or complex numbers.
inline constexpr std::int64_t kBatchLargestN = 32;
inline constexpr std::int64_t kBatchMostNumbers = 32 * 32;

template <class T, class Problem>
bool batch_applies(const Problem& problem, std::int64_t vectors) {
  const Schedule& schedule = problem.schedule;
  return schedule.n() <= kBatchLargestN && schedule.num_rotations() > 0 && vectors > 0 &&
         vectors <= kBatchMostNumbers / schedule.n() &&
         problem.matrices.size() >= kLanes<real_t<T>>;
}

// Offsets at which the block's columns, the reals of all vectors, start in an operand.
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

  // Memory for the parameters of one chunk.
  class Memory {
   public:
    explicit Memory(const BatchParameters& parameters)
        : size_(rounded_up(parameters.all_angles() * kLanes<R>)),
          buffer_(3 * size_ + parameters.n_ * kLanes<R>) {
      std::fill_n(angles(), size_, R(0));
    }
    // Angles, phases and diagonal, one after the other.
    R* angles() const { return buffer_.data(); }
    R* sines() const { return buffer_.data() + size_; }
    R* cosines() const { return buffer_.data() + 2 * size_; }
    R* signs() const { return buffer_.data() + 3 * size_; }

   private:
    static std::int64_t rounded_up(std::int64_t count) {
      return (count + kLanes<R> - 1) / kLanes<R> * kLanes<R>;
    }

    std::int64_t size_;
    runtime::Scratch<R> buffer_;
  };

  // Fills the memory from the caller's arrays.
  template <std::size_t Operands>
  BatchAngles<R> load(const Chunk<R, Operands>& chunk, const Memory& memory) const {
    const auto load = [&](const Strided<const R>& from, std::size_t operand, const Layout& layout,
                          R* to) {
      if (from) load_lanes<R>(from.data, chunk.operand(operand), layout, to);
    };
    load(parameters_.angles, parameters_.kAngles, angles_, memory.angles());
    load(parameters_.phases, parameters_.kPhases, phases_, memory.angles() + phases_at());
    load(parameters_.diagonal, parameters_.kDiagonal, diagonal_, memory.angles() + diagonal_at());
    load(parameters_.signs, parameters_.kSigns, signs_, memory.signs());
    sines_and_cosines(memory.angles(), all_angles() * kLanes<R>, memory.sines(), memory.cosines());
    return {memory.sines(), memory.cosines(), memory.sines() + phases_at(),
            memory.cosines() + phases_at()};
  }

  // Multiplies the rows of a block by their signs or by exp(id), or with Adjoint by exp(-id).
  template <bool Adjoint>
  void multiply_by_factors(const Memory& memory, const BlockShape& shape, R* block) const {
    if (parameters_.signs) batch_multiply_by_signs(memory.signs(), shape, block);
    if (parameters_.diagonal) {
      batch_multiply_by_phases<Adjoint>(memory.sines() + diagonal_at(),
                                        memory.cosines() + diagonal_at(), shape, block);
    }
  }

  std::int64_t rotations() const { return rotations_; }

 private:
  // Where phases and diagonal start in the memory of the angles.
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

// What the batched operations share. They are made once for a problem, with F from with_phase_type;
// their `run` computes matrices first .. last - 1 and may be called from many threads at once for
// different ones.
template <class T, class F>
class BatchOperation {
 public:
  using R = real_t<T>;

 protected:
  using Memory = typename BatchParameters<R>::Memory;

  // `blocks` blocks of `vectors` vectors go through the rotations together.
  BatchOperation(const Schedule& schedule, const MatrixParameters<R>& parameters,
                 std::int64_t vectors, std::int64_t blocks, bool from_identity)
      : shape_(block_shape<F>(schedule.n(), kReals<T> * vectors, blocks)),
        parameters_(schedule, parameters),
        rotations_(batch_rotations(schedule, shape_.columns, kReals<T>, from_identity)) {}

  // The layout of one operand of the vectors.
  template <std::size_t Operands>
  Layout layout(std::int64_t stride, const StridedLoop<Operands>& vectors,
                std::size_t operand) const {
    return layout_of_columns(shape_.rows, kReals<T> * stride, batch_columns<T>(vectors, operand),
                             kReals<T>, shape_.row_step);
  }

  std::int64_t block_size() const { return shape_.vectors() * kLanes<R>; }

  template <bool Adjoint>
  void sweep(const BatchAngles<R>& angles, R* block) const {
    batch_sweep<F, Adjoint>(rotations_, angles, shape_, block);
  }

  template <bool Adjoint>
  void multiply_by_factors(const Memory& memory, R* block) const {
    parameters_.template multiply_by_factors<Adjoint>(memory, shape_, block);
  }

  // Moves an operand of T between the caller's memory and a block.
  template <class Chunk>
  static void load_block(const T* data, const Chunk& chunk, std::size_t operand,
                         const Layout& layout, R* block) {
    load_lanes<R>(reinterpret_cast<const storage_t<T>*>(data), chunk.operand(operand, kReals<T>),
                  layout, block);
  }
  template <class Chunk>
  static void store_block(T* data, const Chunk& chunk, std::size_t operand, const Layout& layout,
                          const R* block) {
    store_lanes<R>(reinterpret_cast<storage_t<T>*>(data), chunk.operand(operand, kReals<T>), layout,
                   block);
  }

  const BlockShape shape_;
  const BatchParameters<R> parameters_;
  const std::vector<BatchRotation> rotations_;
};

template <class T, class F>
class BatchMatrix : BatchOperation<T, F> {
  using Operation = BatchOperation<T, F>;
  using Operation::parameters_;
  using Operation::shape_;

 public:
  using R = real_t<T>;

  explicit BatchMatrix(const MatrixProblem<T>& problem)
      : Operation(problem.schedule, problem.parameters, problem.schedule.columns(), 1, true),
        problem_(problem) {
    std::vector<std::int64_t> columns;
    for (std::int64_t c = 0; c < shape_.columns; ++c) {
      columns.push_back(kReals<T> * (c / kReals<T> * problem.column_stride) + c % kReals<T>);
    }
    u_ = layout_of_columns(shape_.rows, kReals<T> * problem.row_stride, columns, kReals<T>,
                           shape_.row_step);
  }

  void run(std::int64_t first, std::int64_t last) const {
    const runtime::FlushSubnormals flush(true);
    const typename Operation::Memory memory(parameters_);
    const runtime::Scratch<R> block(this->block_size());
    for_each_chunk<R>(problem_.matrices, first, last, [&](const auto& chunk) {
      const BatchAngles<R> angles = parameters_.load(chunk, memory);
      fill_with_identity(block.data());
      this->template sweep<false>(angles, block.data());
      this->template multiply_by_factors<false>(memory, block.data());
      this->store_block(problem_.u, chunk, problem_.kU, u_, block.data());
    });
  }

 private:
  void fill_with_identity(R* block) const {
    std::fill_n(block, this->block_size(), R(0));
    for (std::int64_t c = 0; c < shape_.columns / kReals<T>; ++c) {
      std::fill_n(block + (c * shape_.row_step + kReals<T> * c) * kLanes<R>, kLanes<R>, R(1));
    }
  }

  const MatrixProblem<T>& problem_;
  Layout u_;
};

template <class T, class F>
class BatchRotate : BatchOperation<T, F> {
  using Operation = BatchOperation<T, F>;
  using Operation::parameters_;

 public:
  using R = real_t<T>;

  explicit BatchRotate(const RotateProblem<T>& problem)
      : Operation(problem.schedule, problem.parameters, problem.vectors.size(), 1, false),
        problem_(problem),
        x_(this->layout(problem.x.stride, problem.vectors, problem.kVectorX)),
        y_(this->layout(problem.y.stride, problem.vectors, problem.kVectorY)) {}

  void run(std::int64_t first, std::int64_t last) const {
    const typename Operation::Memory memory(parameters_);
    const runtime::Scratch<R> block(this->block_size());
    for_each_chunk<R>(problem_.matrices, first, last, [&](const auto& chunk) {
      const BatchAngles<R> angles = parameters_.load(chunk, memory);
      this->load_block(problem_.x.data, chunk, problem_.kX, x_, block.data());
      if (problem_.inverse) {
        this->template multiply_by_factors<true>(memory, block.data());
        this->template sweep<true>(angles, block.data());
      } else {
        this->template sweep<false>(angles, block.data());
        this->template multiply_by_factors<false>(memory, block.data());
      }
      this->store_block(problem_.y.data, chunk, problem_.kY, y_, block.data());
    });
  }

 private:
  const RotateProblem<T>& problem_;
  const Layout x_;
  const Layout y_;
};

// Both gradients: through rotate, and through matrix, where y is U and `from_identity` is true.
// No two matrices share a gradient, which was zero and is written.
template <class T, class F>
class BatchVjp : BatchOperation<T, F> {
  using Operation = BatchOperation<T, F>;
  using Operation::parameters_;
  using Operation::rotations_;
  using Operation::shape_;

 public:
  using R = real_t<T>;

  // The gradient by the identity, where it is wanted, needs all columns.
  BatchVjp(const VjpProblem<T>& problem, bool from_identity)
      : Operation(problem.schedule, problem.parameters, problem.vectors.size(), 2,
                  from_identity && !problem.gx),
        problem_(problem),
        y_(this->layout(problem.y.stride, problem.vectors, problem.kVectorY)),
        gy_(this->layout(problem.gy.stride, problem.vectors, problem.kVectorGradY)),
        gx_(problem.gx ? this->layout(problem.gx.stride, problem.vectors, problem.kVectorGradX)
                       : Layout()),
        gangles_(layout_of_vector(problem.gangles, parameters_.rotations())),
        gphases_(layout_of_vector(problem.gphases, parameters_.rotations())),
        gdiagonal_(layout_of_vector(problem.gdiagonal, shape_.rows)) {}

  void run(std::int64_t first, std::int64_t last) const {
    const typename Operation::Memory memory(parameters_);
    const std::int64_t sums_size = BatchProducts<F>::kSums * parameters_.rotations() * kLanes<R>;
    const runtime::Scratch<R> y(this->block_size());
    const runtime::Scratch<R> g(this->block_size());
    const runtime::Scratch<R> sums(sums_size);
    const runtime::Scratch<R> diagonal_sums(shape_.rows * kLanes<R>);
    for_each_chunk<R>(problem_.matrices, first, last, [&](const auto& chunk) {
      const BatchAngles<R> angles = parameters_.load(chunk, memory);
      this->load_block(problem_.y.data, chunk, problem_.kY, y_, y.data());
      this->load_block(problem_.gy.data, chunk, problem_.kGradY, gy_, g.data());
      std::fill_n(sums.data(), sums_size, R(0));
      if (problem_.inverse) {
        // Through U^H the gradient is minus the one through U at x = U y, and gx = U gy.
        sweep<false>(angles, y.data(), g.data(), sums.data());
        sum_diagonal(y.data(), g.data(), diagonal_sums.data());
        this->template multiply_by_factors<false>(memory, g.data());
      } else {
        sum_diagonal(y.data(), g.data(), diagonal_sums.data());
        for (R* block : {y.data(), g.data()}) {
          this->template multiply_by_factors<true>(memory, block);
        }
        sweep<true>(angles, y.data(), g.data(), sums.data());
      }
      const auto store = [&](const Strided<R>& to, std::size_t operand, const Layout& layout,
                             const R* from) {
        if (to) store_lanes<R>(to.data, chunk.operand(operand), layout, from);
      };
      if (problem_.gx) this->store_block(problem_.gx.data, chunk, problem_.kGradX, gx_, g.data());
      store(problem_.gangles, problem_.kGradAngles, gangles_, sums.data());
      store(problem_.gphases, problem_.kGradPhases, gphases_,
            sums.data() + parameters_.rotations() * kLanes<R>);
      store(problem_.gdiagonal, problem_.kGradDiagonal, gdiagonal_, diagonal_sums.data());
    });
  }

 private:
  template <bool Adjoint>
  void sweep(const BatchAngles<R>& angles, R* y, R* g, R* sums) const {
    batch_vjp_sweep<F, Adjoint>(rotations_, angles, shape_, y, g, sums);
    batch_gradients<F, Adjoint>(angles, parameters_.rotations(), sums);
  }

  // The factors of the rows do not change these sums: y and g may have them or not.
  void sum_diagonal(const R* y, const R* g, R* sums) const {
    if (!is_complex_v<T> || !problem_.gdiagonal) return;
    batch_diagonal_gradients(shape_, problem_.inverse ? R(-1) : R(1), y, g, sums);
  }

  const VjpProblem<T>& problem_;
  const Layout y_;
  const Layout gy_;
  const Layout gx_;
  const Layout gangles_;
  const Layout gphases_;
  const Layout gdiagonal_;
};

// Runs one of these classes on all matrices of a problem.
template <template <class, class> class Batch, class T, class Problem, class... More>
void run_batch_on(const Problem& problem, int threads, const More&... more) {
  with_phase_type<T>(problem.parameters, [&](auto field) {
    run_batch<real_t<T>>(Batch<T, decltype(field)>(problem, more...), problem.matrices.size(),
                         threads);
  });
}

}  // namespace givens::cpu::GIVENS_ISA
