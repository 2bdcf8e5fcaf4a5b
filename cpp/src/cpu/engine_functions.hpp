// The engine's functions for the instruction set that is being compiled for; see simd.hpp.

namespace givens::cpu::GIVENS_ISA {

// --- Parameters ---

// Phases and diagonals are left to the reference engine.
template <class R>
bool takes(const MatrixParameters<R>& parameters) {
  return !parameters.phases && !parameters.diagonal;
}

// Whether |v[k]| <= limit for all k; false if one is NaN.
template <class R>
bool all_within(const Strided<const R>& v, std::int64_t count, R limit) {
  if (v.stride != 1) {
    bool within = true;
    for (std::int64_t k = 0; k < count; ++k) within &= std::abs(v[k]) <= limit;
    return within;
  }
  typedef std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t> Integer;
  typedef Integer Mask __attribute__((vector_size(GIVENS_VECTOR_BYTES)));
  Mask within = Mask{} - 1;
  std::int64_t k = 0;
  for (; k + kLanes<R> <= count; k += kLanes<R>) {
    const Vector<R> x = load(v.data + k);
    within &= (x <= limit) & (x >= -limit);
  }
  bool all = true;
  for (std::int64_t lane = 0; lane < kLanes<R>; ++lane) all = all && within[lane] != 0;
  for (; k < count; ++k) all = all && std::abs(v[k]) <= limit;
  return all;
}

template <class R>
Angles kind_of_angles(const Strided<const R>& angles, std::int64_t count) {
  if (all_within(angles, count, static_cast<R>(kLargestReduced))) return Angles::reduced;
  return all_within(angles, count, std::numeric_limits<R>::max()) ? Angles::finite
                                                                  : Angles::not_finite;
}

// --- Panels ---

// Columns of a panel: all there are, up to a width at which a panel of float stays in the
// second-level cache.
template <class R>
std::int64_t panel_width(std::int64_t slots, std::int64_t columns, std::int64_t widest) {
  const std::int64_t lanes = kLanes<R>;
  constexpr std::int64_t kPanelBytes = 512 * 1024;
  const std::int64_t fitting =
      kPanelBytes / (std::max<std::int64_t>(slots, 1) * std::int64_t{sizeof(R)});
  const std::int64_t wanted = std::min({columns, widest, std::max(fitting, lanes)});
  return std::max<std::int64_t>((wanted + lanes - 1) / lanes * lanes, lanes);
}

// Vectors first .. first + count - 1 of an operand as real columns. `offsets` is where theirs are
// kept.
template <class T, class Data, class Vectors>
auto real_columns(Data* data, std::int64_t stride, const Vectors& vectors, std::size_t operand,
                  std::int64_t first, std::int64_t count, std::vector<std::int64_t>& offsets) {
  offsets.clear();
  for (std::int64_t v = first; v < first + count; ++v) {
    const std::int64_t offset = kParts<T> * vectors.at(v)[operand];
    for (std::int64_t part = 0; part < kParts<T>; ++part) offsets.push_back(offset + part);
  }
  using R = std::conditional_t<std::is_const_v<Data>, const real_t<T>, real_t<T>>;
  return Columns<R>{reinterpret_cast<R*>(data), kParts<T> * stride, offsets.data(),
                    kParts<T> * count};
}

// --- Steps ---

template <class R, bool Undo>
void run_steps(const Plan& plan, const Program<R>& program, R* panel, std::int64_t width) {
  const auto count = static_cast<std::int64_t>(plan.steps.size());
  for (std::int64_t k = 0; k < count; ++k) {
    run_step<R, Undo>(plan, program, Undo ? count - 1 - k : k, panel, width);
  }
}

// first .. last - 1
struct Range {
  std::int64_t first;
  std::int64_t last;
};

// The steps of a level in the blocks that hold any of the slots.
inline Range steps_of(const Level& level, Range slots) {
  const auto blocks = static_cast<std::int64_t>(level.first.size()) - 1;
  const std::int64_t from = std::min(slots.first / level.block, blocks);
  const std::int64_t to = std::min((slots.last + level.block - 1) / level.block, blocks);
  return {level.first[static_cast<std::size_t>(from)], level.first[static_cast<std::size_t>(to)]};
}

// The slots that hold coordinates first .. first + count - 1, as a range.
inline Range slots_of(const Plan& plan, std::int64_t first, std::int64_t count) {
  if (plan.levels.size() == 1) return {0, plan.slots};
  return {first, first + count};  // levels come with slots in the order of the coordinates
}

template <class R>
void multiply_by_signs(const Plan& plan, const Strided<const R>& signs,
                       std::vector<double>& scales) {
  if (!signs) return;
  for (std::size_t s = 0; s < scales.size(); ++s) {
    const std::int32_t coordinate = plan.coordinate_of_slot[s];
    if (coordinate >= 0) scales[s] *= static_cast<double>(signs[coordinate]);
  }
}

// The programs of one matrix, each built when it is first asked for, by any thread.
template <class R, bool Undo>
class Programs {
 public:
  explicit Programs(const Plan& plan) : plan_(plan) {}

  // Matrices that follow one another with the same parameters share their programs. No other thread
  // may be using them.
  void set(const MatrixParameters<R>& parameters, std::int64_t rotations) {
    if (parameters.angles.data == parameters_.angles.data &&
        parameters.signs.data == parameters_.signs.data) {
      return;
    }
    parameters_ = parameters;
    kind_ = kind_of_angles(parameters.angles, rotations);
    fast_built_ = careful_built_ = false;
  }

  const Program<R>& for_vectors(bool moderate) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (moderate) return built(fast_, fast_built_, false);
    return built(careful_, careful_built_, true);
  }

 private:
  const Program<R>& built(Program<R>& program, bool& done, bool careful) {
    if (!done) {
      ProgramBuilder<R, Undo>(plan_, parameters_.angles, kind_, careful,
                              Undo ? parameters_.signs : Strided<const R>{}, program)
          .run();
      if (!Undo) multiply_by_signs(plan_, parameters_.signs, program.final_scales);
      done = true;
    }
    return program;
  }

  const Plan& plan_;
  MatrixParameters<R> parameters_;
  Angles kind_ = Angles::reduced;
  Program<R> fast_;
  Program<R> careful_;
  bool fast_built_ = false;
  bool careful_built_ = false;
  std::mutex mutex_;
};

// --- Threads ---

// Rotations times columns for which waking a thread pays.
inline constexpr std::int64_t kWorkOfAThread = std::int64_t{1} << 20;

template <class Problem>
int threads_for(const Problem& problem, std::int64_t columns) {
  const std::int64_t work = problem.schedule.num_rotations() * std::max<std::int64_t>(columns, 1) *
                            problem.matrices.size();
  const int most = problem.num_threads > 0 ? problem.num_threads : default_num_threads();
  return static_cast<int>(std::clamp<std::int64_t>(work / kWorkOfAThread, 1, most));
}

// How the work on some matrices is shared out: by matrix if there are enough of them, else each
// matrix in parts (panels of its columns). What a part computes does not depend on it.
template <class Part, class WholeMatrix>
void share_out(std::int64_t matrices, bool matrices_are_independent, int threads, Part&& in_parts,
               WholeMatrix&& whole) {
  if (threads > 1 && matrices_are_independent && matrices >= 2 * threads) {
    const std::int64_t chunks = std::min<std::int64_t>(matrices, 8 * std::int64_t{threads});
    auto chunk = [&](std::int64_t k) { whole(matrices * k / chunks, matrices * (k + 1) / chunks); };
    parallel_for(chunks, threads, chunk);
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
  parallel_for(parts, threads, part);
}

// --- Functions ---

// Multiplies the rows of a panel by their scales.
template <class R>
void apply_scales(const std::vector<double>& scales, R* panel, std::int64_t width) {
  for (std::size_t s = 0; s < scales.size(); ++s) {
    const R scale = static_cast<R>(scales[s]);
    multiply_rows(panel + static_cast<std::int64_t>(s) * width, width, &scale, 1);
  }
}

// What a thread needs to rotate panels.
template <class T, bool Undo>
class RotateWorker {
 public:
  using R = real_t<T>;

  RotateWorker(const RotateProblem<T>& problem, const Plan& plan)
      : problem_(problem),
        plan_(plan),
        width_(panel_width<R>(plan.slots, kParts<T> * problem.vectors.size(), 128)),
        panel_(plan.slots * width_),
        ones_(static_cast<std::size_t>(plan.slots), 1.0) {}

  std::int64_t panels() const {
    const std::int64_t each = width_ / kParts<T>;
    return (problem_.vectors.size() + each - 1) / each;
  }

  template <class Offsets>
  void run(Programs<R, Undo>& programs, const Offsets& matrix, std::int64_t index) {
    const std::int64_t first = index * (width_ / kParts<T>);
    const std::int64_t count = std::min(width_ / kParts<T>, problem_.vectors.size() - first);
    const auto columns = [&](auto* data, std::int64_t stride, std::size_t operand) {
      return real_columns<T>(data, stride, problem_.vectors, operand, first, count, offsets_);
    };
    R* panel = panel_.data();
    pack<R>(plan_, columns(problem_.x.data + matrix[4], problem_.x.stride, 0), panel, width_);
    constexpr R largest = Limits<R, Undo>::largest;
    const Survey numbers = survey(panel, plan_.slots, width_, largest);
    const std::vector<double>* scales = &ones_;
    if (numbers.moderate) {
      const FlushSubnormals flush(numbers.may_flush);
      const Program<R>& program = programs.for_vectors(true);
      run_steps<R, Undo>(plan_, program, panel, width_);
      scales = &program.final_scales;
    } else {
      // The vectors that need care go alone, so that the others' results do not depend on them.
      const PanelBuffer<R> others(plan_.slots * width_);
      const std::vector<char> chosen = excessive_columns(panel, plan_.slots, width_, largest);
      set_apart(panel, others.data(), plan_.slots, width_, chosen);
      const bool may_flush = survey(panel, plan_.slots, width_, largest).may_flush;
      for (const bool moderate : {true, false}) {
        const FlushSubnormals flush(moderate && may_flush);
        R* part = moderate ? panel : others.data();
        const Program<R>& program = programs.for_vectors(moderate);
        run_steps<R, Undo>(plan_, program, part, width_);
        apply_scales(program.final_scales, part, width_);
      }
      bring_back(panel, others.data(), plan_.slots, width_, chosen);
    }
    unpack<R>(plan_, panel, width_, *scales,
              columns(problem_.y.data + matrix[5], problem_.y.stride, 1));
  }

 private:
  const RotateProblem<T>& problem_;
  const Plan& plan_;
  const std::int64_t width_;
  const PanelBuffer<R> panel_;
  const std::vector<double> ones_;
  std::vector<std::int64_t> offsets_;
};

template <class T, bool Undo>
void rotate_all(const RotateProblem<T>& problem, const Plan& plan) {
  using R = real_t<T>;
  const std::int64_t rotations = problem.schedule.num_rotations();
  const std::int64_t matrices = problem.matrices.size();
  const int threads = threads_for(problem, kParts<T> * problem.vectors.size());
  const auto in_parts = [&](int most) {
    Programs<R, Undo> programs(plan);
    for (std::int64_t m = 0; m < matrices; ++m) {
      const auto matrix = problem.matrices.at(m);
      programs.set(problem.parameters.at(matrix), rotations);
      programs.for_vectors(true);
      const std::int64_t panels = RotateWorker<T, Undo>(problem, plan).panels();
      const std::int64_t parts = std::min<std::int64_t>(panels, 4 * std::int64_t{most});
      auto part = [&](std::int64_t k) {
        RotateWorker<T, Undo> worker(problem, plan);
        for (std::int64_t p = panels * k / parts; p < panels * (k + 1) / parts; ++p) {
          worker.run(programs, matrix, p);
        }
      };
      parallel_for(parts, most, part);
    }
  };
  const auto whole = [&](std::int64_t first, std::int64_t last) {
    Programs<R, Undo> programs(plan);
    RotateWorker<T, Undo> worker(problem, plan);
    for (std::int64_t m = first; m < last; ++m) {
      const auto matrix = problem.matrices.at(m);
      programs.set(problem.parameters.at(matrix), rotations);
      for (std::int64_t p = 0; p < worker.panels(); ++p) worker.run(programs, matrix, p);
    }
  };
  share_out(matrices, true, threads, in_parts, whole);
}

template <class T>
bool rotate(const RotateProblem<T>& problem, const Plan& plan) {
  if (!takes(problem.parameters)) return false;
  if (batch_applies(problem)) {
    run_batch<real_t<T>>(BatchRotate<T>(problem), problem.matrices.size(),
                         threads_for(problem, kParts<T> * problem.vectors.size()));
    return true;
  }
  if (problem.inverse) {
    rotate_all<T, true>(problem, plan);
  } else {
    rotate_all<T, false>(problem, plan);
  }
  return true;
}

// Columns first .. first + count - 1 of the identity, on the slots that `range` names.
template <class R>
void pack_identity(const Plan& plan, std::int64_t first, std::int64_t count, Range range, R* panel,
                   std::int64_t width) {
  for (std::int64_t s = range.first; s < range.last; ++s) {
    R* row = panel + s * width;
    std::fill_n(row, width, R(0));
    const std::int64_t column = plan.coordinate_of_slot[static_cast<std::size_t>(s)] - first;
    if (column >= 0 && column < count) row[column] = R(1);
  }
}

// Takes a panel of the identity's columns, `count` from `first`, through all steps.
template <class R>
void run_from_identity(const Plan& plan, const Program<R>& program, std::int64_t first,
                       std::int64_t count, R* panel, std::int64_t width) {
  const FlushSubnormals flush(true);
  const Range columns = slots_of(plan, first, count);
  // Before a level only the blocks of the level below that hold these columns are not zero. Slots
  // are filled when a level reaches them.
  Range filled{columns.first, columns.first};
  for (const Level& level : plan.levels) {
    const Range reached = {
        columns.first / level.block * level.block,
        std::min((columns.last + level.block - 1) / level.block * level.block, plan.slots)};
    pack_identity(plan, first, count, {reached.first, filled.first}, panel, width);
    pack_identity(plan, first, count, {filled.last, reached.last}, panel, width);
    filled = reached;
    const Range steps = steps_of(level, columns);
    for (std::int64_t k = steps.first; k < steps.last; ++k) {
      run_step<R, false>(plan, program, k, panel, width);
    }
  }
}

// What a thread needs to form panels of U.
template <class R>
class MatrixWorker {
 public:
  MatrixWorker(const MatrixProblem<R>& problem, const Plan& plan)
      : problem_(problem),
        plan_(plan),
        width_(panel_width<R>(plan.slots, problem.schedule.columns(), 64)),
        panel_(plan.slots * width_) {}

  std::int64_t panels() const { return (problem_.schedule.columns() + width_ - 1) / width_; }

  template <class Offsets>
  void run(const Program<R>& program, const Offsets& matrix, std::int64_t index) {
    const std::int64_t first = index * width_;
    const std::int64_t count = std::min(width_, problem_.schedule.columns() - first);
    run_from_identity(plan_, program, first, count, panel_.data(), width_);
    offsets_.clear();
    for (std::int64_t c = 0; c < count; ++c) {
      offsets_.push_back((first + c) * problem_.column_stride);
    }
    unpack<R>(plan_, panel_.data(), width_, program.final_scales,
              {problem_.u + matrix[4], problem_.row_stride, offsets_.data(), count});
  }

 private:
  const MatrixProblem<R>& problem_;
  const Plan& plan_;
  const std::int64_t width_;
  const PanelBuffer<R> panel_;
  std::vector<std::int64_t> offsets_;
};

template <class R>
void matrix_of_reals(const MatrixProblem<R>& problem, const Plan& plan) {
  const std::int64_t rotations = problem.schedule.num_rotations();
  const std::int64_t matrices = problem.matrices.size();
  const auto in_parts = [&](int threads) {
    Programs<R, false> programs(plan);
    for (std::int64_t m = 0; m < matrices; ++m) {
      const auto matrix = problem.matrices.at(m);
      programs.set(problem.parameters.at(matrix), rotations);
      const Program<R>& program = programs.for_vectors(true);
      const std::int64_t panels = MatrixWorker<R>(problem, plan).panels();
      auto panel = [&](std::int64_t p) { MatrixWorker<R>(problem, plan).run(program, matrix, p); };
      parallel_for(panels, threads, panel);
    }
  };
  const auto whole = [&](std::int64_t first, std::int64_t last) {
    Programs<R, false> programs(plan);
    MatrixWorker<R> worker(problem, plan);
    for (std::int64_t m = first; m < last; ++m) {
      const auto matrix = problem.matrices.at(m);
      programs.set(problem.parameters.at(matrix), rotations);
      const Program<R>& program = programs.for_vectors(true);
      for (std::int64_t p = 0; p < worker.panels(); ++p) worker.run(program, matrix, p);
    }
  };
  share_out(matrices, true, threads_for(problem, problem.schedule.columns()), in_parts, whole);
}

template <class T>
bool matrix(const MatrixProblem<T>& problem, const Plan& plan) {
  if constexpr (is_complex_v<T>) {
    // Without phases and diagonal it is real, and nobody asks for that: left to the reference
    // engine.
    return false;
  } else {
    if (!takes(problem.parameters)) return false;
    if (batch_applies(problem)) {
      run_batch<T>(BatchMatrix<T>(problem), problem.matrices.size(),
                   threads_for(problem, problem.schedule.columns()));
      return true;
    }
    matrix_of_reals(problem, plan);
    return true;
  }
}

// out[k] += sign * weights[k] * sums[k] for the angles of a run.
template <int Length, class R>
[[gnu::always_inline]] inline void add_runs(const Step& step, const std::int32_t* sources, R sign,
                                            const R* weights, const R* sums, R* gangles) {
  for (int r = 0; r < step.count / Length; ++r) {
    R* out = gangles + sources[r];
    for (int k = 0; k < Length; ++k) {
      out[k] += sign * weights[Length * r + k] * sums[Length * r + k];
    }
  }
}

// Adds the sums of a matrix's entries to its angles' gradients, and clears them.
template <class R>
void add_gradients(const Plan& plan, const Program<R>& program, R sign, std::vector<R>& sums,
                   const Strided<R>& gangles) {
  for (const Step& step : plan.steps) {
    const R* weights = program.weights.data() + step.entry;
    R* step_sums = sums.data() + step.entry;
    const std::int32_t* sources = plan.sources.data() + step.source;
    if (step.runs && gangles.stride == 1) {
      if (step.pattern == Pattern::xor_leaf) {
        add_runs<4>(step, sources, sign, weights, step_sums, gangles.data);
      } else {
        add_runs<8>(step, sources, sign, weights, step_sums, gangles.data);
      }
    } else {
      for (std::int32_t e = 0; e < step.count; ++e) {
        const std::int32_t angle = source_of(plan, step, e);
        if (angle >= 0) gangles[angle] += sign * weights[e] * step_sums[e];
      }
    }
    std::fill_n(step_sums, step.count, R(0));
  }
}

// The programs that the gradient of one matrix takes.
template <class R>
struct VjpPrograms {
  explicit VjpPrograms(const Plan& plan) : reverse(plan), forward(plan) {}

  void set(const MatrixParameters<R>& parameters, std::int64_t rotations, bool inverse) {
    reverse.set(parameters, rotations);
    if (inverse) forward.set(parameters, rotations);
  }

  Programs<R, true> reverse;
  Programs<R, false> forward;  // for the inverse only
};

// The panels of a gradient are summed in this many parts, however many threads there are, so that
// the result is the same for any number. Each part has sums of its own, n^2 / 2 elements.
inline constexpr std::int64_t kVjpParts = 2;

// What a thread needs for a part of a gradient, through rotate, or through matrix, where y is U and
// `from_identity` is true: then below a level only the blocks that hold a panel's columns count.
template <class T>
class VjpWorker {
 public:
  using R = real_t<T>;

  VjpWorker(const VjpProblem<T>& problem, const Plan& plan, bool from_identity)
      : problem_(problem),
        plan_(plan),
        from_identity_(from_identity),
        width_(panel_width<R>(2 * plan.slots, kParts<T> * problem.vectors.size(), 128)),
        size_(plan.slots * width_),
        y_(size_),
        g_(size_),
        forward_g_(problem.inverse ? size_ : 0),
        ones_(static_cast<std::size_t>(plan.slots), 1.0) {}

  std::int64_t panels() const {
    const std::int64_t each = width_ / kParts<T>;
    return (problem_.vectors.size() + each - 1) / each;
  }

  // Writes gx for the panels of a part and keeps the sums for the angles.
  template <class Offsets>
  void run(VjpPrograms<R>& programs, const Offsets& matrix, std::int64_t part) {
    for (std::int64_t p = panels() * part / kVjpParts; p < panels() * (part + 1) / kVjpParts; ++p) {
      run_panel(programs, matrix, p);
    }
  }

  // Adds the sums to the angles' gradients, and clears them.
  template <class Offsets>
  void finish(VjpPrograms<R>& programs, const Offsets& matrix) {
    for (const bool moderate : {true, false}) {
      std::vector<R>& sums = moderate ? sums_ : careful_sums_;
      if (sums.empty()) continue;
      add_gradients(plan_, programs.reverse.for_vectors(moderate), problem_.inverse ? R(-1) : R(1),
                    sums, problem_.gangles.at(matrix[7]));
    }
    careful_sums_.clear();
  }

 private:
  template <class Offsets>
  void run_panel(VjpPrograms<R>& programs, const Offsets& matrix, std::int64_t index) {
    const std::int64_t first = index * (width_ / kParts<T>);
    const std::int64_t count = std::min(width_ / kParts<T>, problem_.vectors.size() - first);
    const auto columns = [&](auto* data, std::int64_t stride, std::size_t operand) {
      return real_columns<T>(data, stride, problem_.vectors, operand, first, count, offsets_);
    };
    pack<R>(plan_, columns(problem_.y.data + matrix[4], problem_.y.stride, 0), y_.data(), width_);
    pack<R>(plan_, columns(problem_.gy.data + matrix[5], problem_.gy.stride, 1), g_.data(), width_);
    constexpr R largest = Limits<R, true>::largest;
    const Survey y_numbers = survey(y_.data(), plan_.slots, width_, largest);
    const Survey g_numbers = survey(g_.data(), plan_.slots, width_, largest);
    const Range slots = from_identity_ ? slots_of(plan_, first, count) : Range{0, plan_.slots};
    R* const gx = problem_.inverse ? forward_g_.data() : g_.data();
    if (y_numbers.moderate && g_numbers.moderate) {
      const FlushSubnormals flush(y_numbers.may_flush && g_numbers.may_flush);
      sweep(programs, true, slots, y_.data(), g_.data(), gx);
    } else {
      // As in RotateWorker.
      const PanelBuffer<R> other_y(size_);
      const PanelBuffer<R> other_g(size_);
      const PanelBuffer<R> other_forward_g(problem_.inverse ? size_ : 0);
      R* const other_gx = problem_.inverse ? other_forward_g.data() : other_g.data();
      std::vector<char> chosen = excessive_columns(y_.data(), plan_.slots, width_, largest);
      const std::vector<char> too = excessive_columns(g_.data(), plan_.slots, width_, largest);
      for (std::size_t c = 0; c < chosen.size(); ++c) chosen[c] |= too[c];
      set_apart(y_.data(), other_y.data(), plan_.slots, width_, chosen);
      set_apart(g_.data(), other_g.data(), plan_.slots, width_, chosen);
      {
        const FlushSubnormals flush(survey(y_.data(), plan_.slots, width_, largest).may_flush &&
                                    survey(g_.data(), plan_.slots, width_, largest).may_flush);
        sweep(programs, true, slots, y_.data(), g_.data(), gx);
      }
      sweep(programs, false, slots, other_y.data(), other_g.data(), other_gx);
      bring_back(gx, other_gx, plan_.slots, width_, chosen);
    }
    if (problem_.gx) {
      unpack<R>(plan_, gx, width_, ones_,
                columns(problem_.gx.data + matrix[6], problem_.gx.stride, 2));
    }
  }

  // Undoes the steps on panels y and g, those that concern `slots` only, and sums up. Then gx, with
  // its scales applied, is in `gx`: that is g, or for the inverse a panel of its own.
  void sweep(VjpPrograms<R>& programs, bool moderate, Range slots, R* y, R* g, R* gx) {
    const Program<R>& program = programs.reverse.for_vectors(moderate);
    std::vector<R>& sums = moderate ? sums_ : careful_sums_;
    sums.resize(static_cast<std::size_t>(plan_.entries), R(0));
    if (problem_.inverse) {
      // Through U^T the gradient is minus that through U at x = U y, and gx = U gy.
      const Program<R>& forward = programs.forward.for_vectors(moderate);
      for (R* panel : {y, g}) {
        run_steps<R, false>(plan_, forward, panel, width_);
        apply_scales(forward.final_scales, panel, width_);
      }
      std::copy_n(g, size_, gx);
    }
    for (auto level = plan_.levels.rbegin(); level != plan_.levels.rend(); ++level) {
      const Range steps = steps_of(*level, slots);
      for (std::int64_t k = steps.last - 1; k >= steps.first; --k) {
        run_vjp_step<R>(plan_, program, k, y, g, width_, sums.data());
      }
    }
    if (!problem_.inverse) apply_scales(program.final_scales, g, width_);
  }

  const VjpProblem<T>& problem_;
  const Plan& plan_;
  const bool from_identity_;
  const std::int64_t width_;
  const std::int64_t size_;
  const PanelBuffer<R> y_;
  const PanelBuffer<R> g_;
  const PanelBuffer<R> forward_g_;
  const std::vector<double> ones_;
  std::vector<std::int64_t> offsets_;
  std::vector<R> sums_;
  std::vector<R> careful_sums_;
};

template <class T>
int vjp_threads(const VjpProblem<T>& problem) {
  return threads_for(problem, 3 * kParts<T> * problem.vectors.size());
}

template <class T>
void vjp_all(const VjpProblem<T>& problem, const Plan& plan, bool from_identity) {
  using R = real_t<T>;
  const std::int64_t rotations = problem.schedule.num_rotations();
  const std::int64_t matrices = problem.matrices.size();
  const auto in_parts = [&](int threads) {
    VjpPrograms<R> programs(plan);
    std::vector<std::unique_ptr<VjpWorker<T>>> workers;
    for (std::int64_t part = 0; part < kVjpParts; ++part) {
      workers.push_back(std::make_unique<VjpWorker<T>>(problem, plan, from_identity));
    }
    for (std::int64_t m = 0; m < matrices; ++m) {
      const auto matrix = problem.matrices.at(m);
      programs.set(problem.parameters.at(matrix), rotations, problem.inverse);
      auto run = [&](std::int64_t part) {
        workers[static_cast<std::size_t>(part)]->run(programs, matrix, part);
      };
      parallel_for(kVjpParts, threads, run);
      for (const auto& worker : workers) worker->finish(programs, matrix);
    }
  };
  const auto whole = [&](std::int64_t first, std::int64_t last) {
    VjpPrograms<R> programs(plan);
    VjpWorker<T> worker(problem, plan, from_identity);
    for (std::int64_t m = first; m < last; ++m) {
      const auto matrix = problem.matrices.at(m);
      programs.set(problem.parameters.at(matrix), rotations, problem.inverse);
      for (std::int64_t part = 0; part < kVjpParts; ++part) {
        worker.run(programs, matrix, part);
        worker.finish(programs, matrix);
      }
    }
  };
  const int threads = vjp_threads(problem);
  share_out(matrices, !problem.matrices.repeats(7), threads, in_parts, whole);
}

template <class T>
bool vjp(const VjpProblem<T>& problem, const Plan& plan) {
  if (!takes(problem.parameters)) return false;
  if (batch_applies(problem)) {
    run_batch<real_t<T>>(BatchVjp<T>(problem, false), problem.matrices.size(),
                         vjp_threads(problem));
    return true;
  }
  vjp_all(problem, plan, false);
  return true;
}

template <class T>
bool matrix_vjp(const VjpProblem<T>& problem, const Plan& plan) {
  if (!takes(problem.parameters)) return false;
  if (batch_applies(problem)) {
    run_batch<real_t<T>>(BatchVjp<T>(problem, true), problem.matrices.size(), vjp_threads(problem));
    return true;
  }
  vjp_all(problem, plan, true);
  return true;
}

template <class T>
constexpr Functions<T> functions() {
  return {&rotate<T>, &matrix<T>, &vjp<T>, &matrix_vjp<T>};
}

}  // namespace givens::cpu::GIVENS_ISA
