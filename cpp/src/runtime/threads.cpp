#include "runtime/threads.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

#include "runtime/environment.hpp"
#include "runtime/floating_point.hpp"
#include "runtime/processor.hpp"
#include "runtime/wait.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

// A fork may come while other threads are anywhere in this file. The child has none of these
// threads and would wait for ever for a lock that one of them held, or for the guard of a static
// that one was initialising. So all locks are members of the pool, each child makes a pool of its
// own, and statics are atomics. Windows has no fork.

namespace givens::runtime {

namespace {

constexpr int kMostThreads = 1024;

// How long a waiting thread watches before it sleeps. Waking a thread takes about as long, which is
// a tenth of a call that is just large enough for threads.
constexpr std::chrono::microseconds kWatch{100};

struct Job {
  std::int64_t tasks;
  void (*run)(void*, std::int64_t);
  void* context;
  // Whether waiting threads watch. They do not if there are more threads than processors, since the
  // other threads then need the processors.
  bool watched;
  // The caller's, so that results do not depend on the thread.
  FloatingPointEnvironment environment;
  std::atomic<std::int64_t> next{0};

  void work() {
    for (std::int64_t task = next++; task < tasks; task = next++) run(context, task);
  }
};

// The pool is never destroyed and its threads never end, because other threads may still be in a
// call when the process exits.
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
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      job_ = &job;
      openings_ = helpers;
    }
    for (int k = 0; k < helpers; ++k) wake_.notify_one();
    job.work();
    {
      std::unique_lock<std::mutex> lock(mutex_);
      openings_ = 0;  // threads that have not come by now are not needed
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
  // Starts threads until there are `threads`, or as many as the system allows.
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
      job.environment.set();
      job.work();
      watch = job.watched;
      lock.lock();
      if (--working_ == 0) done_.notify_one();
    }
  }

  std::atomic<bool> in_use_{false};  // by the caller whose job it runs, who alone may grow the pool
  int size_ = 0;
  const int processors_ = available_processors();
  std::mutex mutex_;  // guards the members below; watching threads read the counts without it
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
// Registered when the library is loaded, before any thread can be in it.
[[maybe_unused]] const int registered =
    pthread_atfork(nullptr, nullptr, [] { the_pool = nullptr; });
#endif

int threads_of_environment() {
  const std::string variable = environment_variable("GIVENS_NUM_THREADS");
  const long wanted = std::strtol(variable.c_str(), nullptr, 10);
  return wanted > 0 ? static_cast<int>(std::min<long>(wanted, kMostThreads))
                    : available_processors();
}

// 0 if this thread has not set it.
thread_local int default_of_this_thread = 0;

}  // namespace

int default_num_threads() {
  if (default_of_this_thread > 0) return default_of_this_thread;
  // The environment is read once, since reading it races with threads that change it.
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
