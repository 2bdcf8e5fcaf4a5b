// Many small matrices: kLanes of them at once, each in a lane of its own. Nothing that one matrix
// holds reaches another, so that a result depends neither on the matrix's place in the batch nor on
// how the batch is divided. Compiled for each instruction set; see simd.hpp.

namespace givens::cpu::GIVENS_ISA {

// Beyond these the general functions are faster. `Numbers` are those of a matrix's columns or
// vectors.
inline constexpr std::int64_t kBatchLargestN = 32;
inline constexpr std::int64_t kBatchMostNumbers = 32 * 32;

template <class R>
bool batch_applies(const Schedule& schedule, const MatrixParameters<R>& parameters,
                   std::int64_t matrices, std::int64_t columns) {
  return !parameters.phases && !parameters.diagonal && schedule.n() <= kBatchLargestN &&
         schedule.num_rotations() > 0 && columns > 0 &&
         columns <= kBatchMostNumbers / schedule.n() && matrices >= kLanes<R>;
}

// Offsets of the real columns of all vectors.
template <class T, std::size_t Operands>
std::vector<std::int64_t> batch_columns(const StridedLoop<Operands>& vectors, std::size_t operand) {
  std::vector<std::int64_t> out;
  vectors.for_each([&](const auto& vector) {
    for (std::int64_t part = 0; part < kParts<T>; ++part) {
      out.push_back(kParts<T> * vector[operand] + part);
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
        angles_(layout_of_vector(rotations_, parameters.angles.stride)),
        signs_(layout_of_vector(n_, parameters.signs.stride)) {}

  // Where the parameters of one chunk are kept.
  class Memory {
   public:
    explicit Memory(const BatchParameters& parameters)
        : size_(rounded_up(parameters.rotations_ * kLanes<R>)),
          rows_(parameters.n_ * kLanes<R>),
          buffer_(3 * size_ + rows_) {
      std::fill_n(angles(), size_, R(0));
    }
    R* angles() const { return buffer_.data(); }
    R* sines() const { return buffer_.data() + size_; }
    R* cosines() const { return buffer_.data() + 2 * size_; }
    R* signs() const { return buffer_.data() + 3 * size_; }

   private:
    static std::int64_t rounded_up(std::int64_t count) {
      return (count + kAnglesAtOnce<R> - 1) / kAnglesAtOnce<R> * kAnglesAtOnce<R>;
    }

    std::int64_t size_;
    std::int64_t rows_;
    Scratch<R> buffer_;
  };

  // Fills the memory; `chunk` has the offsets of angles and of signs as operands 0 and 3.
  template <std::size_t Operands>
  BatchAngles<R> load(const Chunk<R, Operands>& chunk, const Memory& memory) const {
    load_lanes<R>(parameters_.angles.data, chunk.operand(0), angles_, memory.angles());
    sines_and_cosines(memory.angles(), rotations_ * kLanes<R>, memory.sines(), memory.cosines());
    if (parameters_.signs) {
      load_lanes<R>(parameters_.signs.data, chunk.operand(3), signs_, memory.signs());
    }
    return {memory.sines(), memory.cosines()};
  }

  void multiply_by_signs(const Memory& memory, std::int64_t columns, std::int64_t row_step,
                         R* block) const {
    if (parameters_.signs) {
      batch_multiply_by_signs(memory.signs(), n_, columns, row_step, block);
    }
  }

  // The angles' places, for an array of their gradients with this stride.
  Layout angle_layout(std::int64_t stride) const { return layout_of_vector(rotations_, stride); }
  std::int64_t rotations() const { return rotations_; }

 private:
  MatrixParameters<R> parameters_;
  std::int64_t n_;
  std::int64_t rotations_;
  Layout angles_;
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

// The classes below are made once for a problem. `run` computes matrices first .. last - 1 and may
// be called from many threads at once for different ones.

template <class R>
class BatchMatrix {
 public:
  explicit BatchMatrix(const MatrixProblem<R>& problem)
      : problem_(problem),
        n_(problem.schedule.n()),
        columns_(problem.schedule.columns()),
        columns_at_once_(batch_columns_at_once(n_, columns_, 1)),
        row_step_(batch_row_step(columns_)),
        parameters_(problem.schedule, problem.parameters),
        rotations_(batch_rotations(problem.schedule, columns_, true)) {
    std::vector<std::int64_t> columns;
    for (std::int64_t c = 0; c < columns_; ++c) columns.push_back(c * problem.column_stride);
    u_ = layout_of_columns(n_, problem.row_stride, columns, 1, row_step_);
  }

  void run(std::int64_t first, std::int64_t last) const {
    const FlushSubnormals flush(true);
    const typename BatchParameters<R>::Memory memory(parameters_);
    const Scratch<R> block(n_ * row_step_ * kLanes<R>);
    for_each_chunk<R>(problem_.matrices, first, last, [&](const auto& chunk) {
      const BatchAngles<R> angles = parameters_.load(chunk, memory);
      fill_with_identity(block.data());
      batch_sweep<R, false>(rotations_, angles, columns_, columns_at_once_, row_step_,
                            block.data());
      parameters_.multiply_by_signs(memory, columns_, row_step_, block.data());
      store_lanes<R>(problem_.u, chunk.operand(4), u_, block.data());
    });
  }

 private:
  void fill_with_identity(R* block) const {
    std::fill_n(block, n_ * row_step_ * kLanes<R>, R(0));
    for (std::int64_t c = 0; c < columns_; ++c) {
      std::fill_n(block + (c * row_step_ + c) * kLanes<R>, kLanes<R>, R(1));
    }
  }

  const MatrixProblem<R>& problem_;
  std::int64_t n_;
  std::int64_t columns_;
  std::int64_t columns_at_once_;
  std::int64_t row_step_;
  BatchParameters<R> parameters_;
  std::vector<BatchRotation> rotations_;
  Layout u_;
};

template <class T>
class BatchRotate {
 public:
  using R = real_t<T>;

  explicit BatchRotate(const RotateProblem<T>& problem)
      : problem_(problem),
        n_(problem.schedule.n()),
        columns_(kParts<T> * problem.vectors.size()),
        columns_at_once_(batch_columns_at_once(n_, columns_, 1)),
        row_step_(batch_row_step(columns_)),
        parameters_(problem.schedule, problem.parameters),
        rotations_(batch_rotations(problem.schedule, columns_, false)),
        x_(layout(problem.x.stride, 0)),
        y_(layout(problem.y.stride, 1)) {}

  void run(std::int64_t first, std::int64_t last) const {
    const typename BatchParameters<R>::Memory memory(parameters_);
    const Scratch<R> block(n_ * row_step_ * kLanes<R>);
    for_each_chunk<R>(problem_.matrices, first, last, [&](const auto& chunk) {
      const BatchAngles<R> angles = parameters_.load(chunk, memory);
      load_lanes<R>(reinterpret_cast<const R*>(problem_.x.data), chunk.operand(4, kParts<T>), x_,
                    block.data());
      if (problem_.inverse) {
        parameters_.multiply_by_signs(memory, columns_, row_step_, block.data());
        batch_sweep<R, true>(rotations_, angles, columns_, columns_at_once_, row_step_,
                             block.data());
      } else {
        batch_sweep<R, false>(rotations_, angles, columns_, columns_at_once_, row_step_,
                              block.data());
        parameters_.multiply_by_signs(memory, columns_, row_step_, block.data());
      }
      store_lanes<R>(reinterpret_cast<R*>(problem_.y.data), chunk.operand(5, kParts<T>), y_,
                     block.data());
    });
  }

 private:
  Layout layout(std::int64_t stride, std::size_t operand) const {
    return layout_of_columns(n_, kParts<T> * stride, batch_columns<T>(problem_.vectors, operand),
                             kParts<T>, row_step_);
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
template <class T>
class BatchVjp {
 public:
  using R = real_t<T>;

  BatchVjp(const VjpProblem<T>& problem, bool from_identity)
      : problem_(problem),
        n_(problem.schedule.n()),
        columns_(kParts<T> * problem.vectors.size()),
        columns_at_once_(batch_columns_at_once(n_, columns_, 2)),
        row_step_(batch_row_step(columns_)),
        parameters_(problem.schedule, problem.parameters),
        // A gradient by the identity, if it is asked for, needs all columns.
        rotations_(batch_rotations(problem.schedule, columns_, from_identity && !problem.gx)),
        y_(layout(problem.y.stride, 0)),
        gy_(layout(problem.gy.stride, 1)),
        gx_(layout(problem.gx.stride, 2)),
        gangles_(parameters_.angle_layout(problem.gangles.stride)) {}

  void run(std::int64_t first, std::int64_t last) const {
    const typename BatchParameters<R>::Memory memory(parameters_);
    const std::int64_t size = n_ * row_step_ * kLanes<R>;
    const std::int64_t sums_size = parameters_.rotations() * kLanes<R>;
    const Scratch<R> y(size);
    const Scratch<R> g(size);
    const Scratch<R> sums(sums_size);
    for_each_chunk<R>(problem_.matrices, first, last, [&](const auto& chunk) {
      const BatchAngles<R> angles = parameters_.load(chunk, memory);
      load_lanes<R>(reinterpret_cast<const R*>(problem_.y.data), chunk.operand(4, kParts<T>), y_,
                    y.data());
      load_lanes<R>(reinterpret_cast<const R*>(problem_.gy.data), chunk.operand(5, kParts<T>), gy_,
                    g.data());
      std::fill_n(sums.data(), sums_size, R(0));
      if (problem_.inverse) {
        // Through U^T the gradient is minus that through U at x = U y, and gx = U gy.
        batch_vjp_sweep<R, false>(rotations_, angles, columns_, columns_at_once_, row_step_,
                                  y.data(), g.data(), sums.data());
        parameters_.multiply_by_signs(memory, columns_, row_step_, g.data());
        for (std::int64_t k = 0; k < sums_size; ++k) sums.data()[k] = -sums.data()[k];
      } else {
        for (R* block : {y.data(), g.data()}) {
          parameters_.multiply_by_signs(memory, columns_, row_step_, block);
        }
        batch_vjp_sweep<R, true>(rotations_, angles, columns_, columns_at_once_, row_step_,
                                 y.data(), g.data(), sums.data());
      }
      if (problem_.gx) {
        store_lanes<R>(reinterpret_cast<R*>(problem_.gx.data), chunk.operand(6, kParts<T>), gx_,
                       g.data());
      }
      store_lanes<R>(problem_.gangles.data, chunk.operand(7), gangles_, sums.data());
    });
  }

 private:
  Layout layout(std::int64_t stride, std::size_t operand) const {
    return layout_of_columns(n_, kParts<T> * stride, batch_columns<T>(problem_.vectors, operand),
                             kParts<T>, row_step_);
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
};

template <class R>
bool batch_applies(const MatrixProblem<R>& problem) {
  return batch_applies(problem.schedule, problem.parameters, problem.matrices.size(),
                       problem.schedule.columns());
}

template <class T>
bool batch_applies(const RotateProblem<T>& problem) {
  return batch_applies(problem.schedule, problem.parameters, problem.matrices.size(),
                       kParts<T> * problem.vectors.size());
}

template <class T>
bool batch_applies(const VjpProblem<T>& problem) {
  return batch_applies(problem.schedule, problem.parameters, problem.matrices.size(),
                       kParts<T> * problem.vectors.size()) &&
         !problem.matrices.repeats(7);
}

}  // namespace givens::cpu::GIVENS_ISA
