// Host code reads the memory of the device.
#include "planted_bugs.hpp"

namespace {

PLANTED_BUG(host_touches_device) {
  const test::DeviceArray<float> array(std::vector<float>(4, 1.0f));
  return array.data()[1] == 1;
}

}  // namespace
