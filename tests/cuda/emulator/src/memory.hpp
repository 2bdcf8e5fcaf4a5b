#pragma once

#include <cstddef>
#include <string>

namespace cuda_emulator {

// During its lifetime the memory of one device, or of all, can be touched.
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

// Why a kernel of this device cannot use the pointer; empty if it can. A null pointer counts as
// usable until it is used.
std::string objection_to_pointer(const void* pointer, int device);

// Writes what the address is: "byte 8 of an allocation of 4 bytes of device memory".
void describe_address(const void* address, char* text, std::size_t size);

}  // namespace cuda_emulator
