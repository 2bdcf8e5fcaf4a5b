#pragma once

#include <cstddef>
#include <string>

namespace cuda_emulator {

// For its lifetime the memory of a device can be touched, or that of all devices.
class Touchable {
 public:
  static constexpr int all_devices = -1;

  explicit Touchable(int device = all_devices);
  ~Touchable();
  Touchable(const Touchable&) = delete;
  Touchable& operator=(const Touchable&) = delete;

 private:
  int device_;
};

// Why a kernel of this device cannot use the pointer; empty if it can. A null pointer is as good as
// any until it is used.
std::string objection_to_pointer(const void* pointer, int device);

}  // namespace cuda_emulator
