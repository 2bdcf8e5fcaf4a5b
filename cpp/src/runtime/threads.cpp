#include "runtime/threads.hpp"

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "runtime/wait.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

// A fork may come while other threads are anywhere in here. The child has none of them, and would
// wait for ever for what they held: a lock, or the guard of a static that was being initialised.
// So all locks are in the pool, of which a child makes its own, and statics are atomics.

namespace givens::runtime {

namespace {

constexpr int kMostThreads = 1024;

// How long a thread watches for what it waits for before it sleeps. To wake it takes about as long,
// a tenth of a call that is just large enough for threads.
constexpr std::chrono::microseconds kWatch{100};

int available_processors() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(CPU_COUNT(&set), 1);
#endif
  return std::max(static_cast<int>(std::thread::hardware_concurrency()), 1);
}

struct Job {
  std::int64_t tasks;
  void (*run)(void*, std::int64_t);
  void* context;
  // Whether its threads watch: not where they are more than the processors, which others then need.
  bool watched;
  // The caller's: results must not depend on the thread, whatever rounding or flushing is set.
  std::fenv_t environment;
  std::atomic<std::int64_t> next{0};

  void work() {
    for (std::int64_t task = next++; task < tasks; task = next++) run(context, task);
  }
};

// Never destroyed, nor its threads ended: at exit, other threads may still be in a call.
class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // False, having done nothing, if the pool is working for another caller.
  bool try_run(Job& job, int helpers) {
    if (in_use_.exchange(true, std::memory_order_acquire)) return false;
    grow(helpers);
    helpers = std::min(helpers, size_);
    job.watched = helpers < processors_;
    std::fegetenv(&job.environment);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      job_ = &job;
      openings_ = helpers;
    }
    for (int k = 0; k < helpers; ++k) wake_.notify_one();
    job.work();
    {
      std::unique_lock<std::mutex> lock(mutex_);
      openings_ = 0;  // who has not come by now need not
      if (job.watched && working_ > 0) {
        lock.unlock();
        wait_until([this] { return working_ == 0; }, kWatch);
        lock.lock();
      }
      done_.wait(lock, [this] { return working_ == 0; });
    }
    in_use_.store(false, std::memory_order_release);
    return true;
  }

 private:
  // Has `threads` threads, or as many as the system allows.
  void grow(int threads) {
    try {
      for (; size_ < threads; ++size_) std::thread([this] { serve(); }).detach();
    } catch (const std::exception&) {
    }
  }

  void serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (bool watch = false;;) {
      if (watch) {
        lock.unlock();
        wait_until([this] { return openings_ > 0; }, kWatch);
        lock.lock();
      }
      wake_.wait(lock, [this] { return openings_ > 0; });
      --openings_;
      ++working_;
      Job& job = *job_;
      lock.unlock();
      std::fesetenv(&job.environment);
      job.work();
      watch = job.watched;
      lock.lock();
      if (--working_ == 0) done_.notify_one();
    }
  }

  std::atomic<bool> in_use_{false};  // by the caller whose job it is, who alone may grow it
  int size_ = 0;
  const int processors_ = available_processors();
  std::mutex mutex_;  // guards what follows; watching threads read the counts without it
  std::condition_variable wake_;
  std::condition_variable done_;
  Job* job_ = nullptr;
  std::atomic<int> openings_{0};  // helpers that may still join the job
  std::atomic<int> working_{0};
};

std::atomic<Pool*> the_pool{nullptr};

Pool& pool() {
  Pool* existing = the_pool.load(std::memory_order_acquire);
  if (existing) return *existing;
  Pool* const made = new Pool;
  if (the_pool.compare_exchange_strong(existing, made)) return *made;
  delete made;  // another thread was faster
  return *existing;
}

#if defined(__unix__) || defined(__APPLE__)
// As the library is loaded, when no thread can be in it yet.
[[maybe_unused]] const int registered =
    pthread_atfork(nullptr, nullptr, [] { the_pool = nullptr; });
#endif

int threads_of_environment() {
  if (const char* variable = std::getenv("GIVENS_NUM_THREADS")) {
    const long wanted = std::strtol(variable, nullptr, 10);
    if (wanted > 0) return static_cast<int>(std::min<long>(wanted, kMostThreads));
  }
  return available_processors();
}

// 0 where it has not been set.
thread_local int default_of_this_thread = 0;

}  // namespace

int default_num_threads() {
  if (default_of_this_thread > 0) return default_of_this_thread;
  // Once, since reading the environment is a race with a thread that changes it.
  static std::atomic<int> known{0};
  int threads = known.load(std::memory_order_relaxed);
  if (threads == 0) {
    threads = threads_of_environment();
    known.store(threads, std::memory_order_relaxed);
  }
  return threads;
}

void set_default_num_threads(int num_threads) { default_of_this_thread = num_threads; }

void parallel_for(std::int64_t tasks, int num_threads, void (*run)(void*, std::int64_t),
                  void* context) {
  const auto threads = std::min<std::int64_t>({tasks, num_threads, kMostThreads});
  Job job{tasks, run, context, false, {}};
  if (threads > 1 && pool().try_run(job, static_cast<int>(threads) - 1)) return;
  job.work();
}

}  // namespace givens::runtime
