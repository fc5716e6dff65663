// Memory that is kept from one frame to the next: fresh pages cost more than the work that is done on them.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

namespace splatfilm {

// An aligned array of plain values that grows without keeping or clearing its contents.
template <typename T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer() { std::free(data_); }

  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(room_, other.room_);
  }

  T* ensure(int64_t count) {
    if (count > room_) {
      std::free(data_);
      data_ = nullptr;
      room_ = 0;
      const int64_t room = count + count / 4;
      const size_t bytes = (size_t(room) * sizeof(T) + 63) / 64 * 64;
      data_ = static_cast<T*>(std::aligned_alloc(64, bytes));
      if (!data_) throw std::bad_alloc();
      room_ = room;
    }
    return data_;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](int64_t i) { return data_[i]; }
  const T& operator[](int64_t i) const { return data_[i]; }
  int64_t bytes() const { return room_ * int64_t(sizeof(T)); }

 private:
  T* data_ = nullptr;
  int64_t room_ = 0;
};

}  // namespace splatfilm
