#include "threads.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

namespace givens::cpu {

namespace {

struct Job {
  std::int64_t tasks;
  void (*run)(void*, std::int64_t);
  void* context;
  std::atomic<std::int64_t> next{0};

  void work() {
    for (std::int64_t task = next++; task < tasks; task = next++) run(context, task);
  }
};

class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  ~Pool() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  // False if the pool is working for another caller.
  bool try_run(Job& job, int helpers) {
    const std::unique_lock<std::mutex> ours(in_use_, std::try_to_lock);
    if (!ours) return false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      while (static_cast<int>(workers_.size()) < helpers) {
        workers_.emplace_back([this] { serve(); });
      }
      job_ = &job;
      openings_ = helpers;
    }
    wake_.notify_all();
    job.work();
    std::unique_lock<std::mutex> lock(mutex_);
    openings_ = 0;  // who has not come by now need not
    done_.wait(lock, [this] { return working_ == 0; });
    job_ = nullptr;
    return true;
  }

 private:
  void serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return stopping_ || openings_ > 0; });
      if (stopping_) return;
      --openings_;
      ++working_;
      Job* const job = job_;
      lock.unlock();
      job->work();
      lock.lock();
      if (--working_ == 0) done_.notify_all();
    }
  }

  std::mutex in_use_;  // held by the caller whose job it is
  std::mutex mutex_;   // guards what follows
  std::condition_variable wake_;
  std::condition_variable done_;
  std::vector<std::thread> workers_;
  Job* job_ = nullptr;
  int openings_ = 0;  // helpers that may still join the job
  int working_ = 0;
  bool stopping_ = false;
};

// Never destroyed: at exit, other threads may still be in a call.
std::atomic<Pool*> the_pool{nullptr};

Pool& pool() {
  Pool* existing = the_pool.load();
  if (existing) return *existing;
  static std::mutex making;
  const std::lock_guard<std::mutex> lock(making);
  if (!the_pool.load()) {
#if defined(__unix__) || defined(__APPLE__)
    // A child has none of the threads, and locks may be held for ever: it starts afresh.
    static std::once_flag registered;
    std::call_once(registered,
                   [] { pthread_atfork(nullptr, nullptr, [] { the_pool = new Pool; }); });
#endif
    the_pool = new Pool;
  }
  return *the_pool.load();
}

int available_processors() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(CPU_COUNT(&set), 1);
#endif
  return std::max(static_cast<int>(std::thread::hardware_concurrency()), 1);
}

}  // namespace

int default_num_threads() {
  if (const char* variable = std::getenv("GIVENS_NUM_THREADS")) {
    const long wanted = std::strtol(variable, nullptr, 10);
    if (wanted > 0) return static_cast<int>(std::min(wanted, 1024L));
  }
  static const int processors = available_processors();
  return processors;
}

void parallel_for(std::int64_t tasks, int num_threads, void (*run)(void*, std::int64_t),
                  void* context) {
  const auto helpers = static_cast<int>(std::min<std::int64_t>(num_threads, tasks)) - 1;
  Job job{tasks, run, context};
  if (helpers > 0 && pool().try_run(job, helpers)) return;
  job.work();
}

}  // namespace givens::cpu
