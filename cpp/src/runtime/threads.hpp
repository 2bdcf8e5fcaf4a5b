// The threads of the CPU engine.
#pragma once

#include <cstdint>
#include <exception>
#include <mutex>

namespace givens::runtime {

// The public functions of these names, after their checks: `num_threads` is at least 0.
int default_num_threads();
void set_default_num_threads(int num_threads);

// Calls run(context, task) once for every task 0 .. tasks - 1, on at most `num_threads` threads
// including the caller's, and returns when all tasks are done. Tasks are taken in rising order.
// `run` must not throw.
//
// The threads are kept for later calls; a child process makes its own after a fork. If the system
// refuses more threads, there are fewer. While the threads work for one caller, every other caller,
// and every task that calls this function, runs its tasks on its own thread. Tasks run in the
// caller's floating-point environment, so that results do not depend on the thread.
void parallel_for(std::int64_t tasks, int num_threads,
                  void (*run)(void* context, std::int64_t task), void* context);

// The same for a function object that may throw; the first exception is passed on to the caller.
template <class Run>
void parallel_for(std::int64_t tasks, int num_threads, Run& run) {
  struct Guarded {
    Run& run;
    std::mutex mutex;
    std::exception_ptr error;
  } guarded{run, {}, nullptr};
  parallel_for(
      tasks, num_threads,
      [](void* context, std::int64_t task) {
        auto& g = *static_cast<Guarded*>(context);
        try {
          g.run(task);
        } catch (...) {
          const std::lock_guard<std::mutex> lock(g.mutex);
          if (!g.error) g.error = std::current_exception();
        }
      },
      &guarded);
  if (guarded.error) std::rethrow_exception(guarded.error);
}

}  // namespace givens::runtime
