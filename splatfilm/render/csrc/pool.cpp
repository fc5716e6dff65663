#include "pool.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace splatfilm {
namespace {

class Pool {
 public:
  ~Pool() { stop(); }

  void resize(int count) {
    const std::lock_guard<std::mutex> turn(turn_);
    if (count - 1 == int(workers_.size())) return;
    stop();
    stopping_ = false;
    for (int i = 1; i < count; ++i) workers_.emplace_back([this, seen = generation_] { work(seen); });
  }

  void run(int64_t count, const std::function<void(int64_t)>& body) {
    const std::lock_guard<std::mutex> turn(turn_);
    if (workers_.empty() || count <= 1) {
      for (int64_t i = 0; i < count; ++i) body(i);
      return;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      body_ = &body;
      count_ = count;
      next_.store(0, std::memory_order_relaxed);
      busy_.store(int(workers_.size()), std::memory_order_relaxed);
      published_.store(++generation_, std::memory_order_release);
    }
    wake_.notify_all();
    take();
    for (int spin = 0; busy_.load(std::memory_order_acquire) != 0 && spin < kSpins; ++spin) pause();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return busy_.load(std::memory_order_acquire) == 0; });
  }

 private:
  // About 20 microseconds: stages of one frame follow one another faster than a sleeping thread wakes.
  static constexpr int kSpins = 1000;

  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  void take() {
    for (int64_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count_;) (*body_)(i);
  }

  void work(uint64_t seen) {
    for (;;) {
      for (int spin = 0; published_.load(std::memory_order_acquire) == seen && spin < kSpins; ++spin) pause();
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return stopping_ || generation_ != seen; });
        if (stopping_) return;
        seen = generation_;
      }
      take();
      if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        const std::lock_guard<std::mutex> lock(mutex_);
        done_.notify_one();
      }
    }
  }

  void stop() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
  }

  std::mutex turn_;  // one job at a time
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> workers_;
  const std::function<void(int64_t)>* body_ = nullptr;
  int64_t count_ = 0;
  std::atomic<int64_t> next_{0};
  std::atomic<int> busy_{0};
  std::atomic<uint64_t> published_{0};
  uint64_t generation_ = 0;
  bool stopping_ = false;
};

int wanted = 1;
Pool* pool = nullptr;  // never destroyed: threads must not outlive it at exit
std::mutex pool_mutex;

// A forked child has none of its parent's threads: it starts over.
void forget() {
  pool = nullptr;
  new (&pool_mutex) std::mutex;
}

Pool& the_pool() {
  const std::lock_guard<std::mutex> lock(pool_mutex);
  if (!pool) {
#if defined(__unix__) || defined(__APPLE__)
    static const int registered = pthread_atfork(nullptr, nullptr, forget);
    (void)registered;
#endif
    pool = new Pool;
    pool->resize(wanted);
  }
  return *pool;
}

}  // namespace

int threads() { return wanted; }

void set_threads(int count) {
  wanted = count < 1 ? 1 : count;
  the_pool().resize(wanted);
}

void parallel(int64_t count, const std::function<void(int64_t)>& body) { the_pool().run(count, body); }

}  // namespace splatfilm
