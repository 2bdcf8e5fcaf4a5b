// The processor that the library runs on.
#pragma once

#include <string>

namespace givens::runtime {

// How many processors this process may use, at least 1: fewer than the machine has if the system
// keeps the process to some of them, or a container to a part of their time.
int available_processors();

// The processors whose time the control groups of Linux allow to a process, rounded up; 0 if there
// is no limit. `proc` is the folder of the process, /proc/self, and `cgroup` where the groups are
// mounted, /sys/fs/cgroup: version 2 in cpu.max, version 1 in cpu.cfs_quota_us and
// cpu.cfs_period_us. Groups that contain the process's own count too. In a container the process's
// own is often what is mounted.
int quota_of_cgroups(const std::string& proc, const std::string& cgroup);

// Whether the processor has the instructions of an engine and the system saves their registers.
// False on other processors than x86-64.
bool has_avx2();    // AVX2 and FMA
bool has_avx512();  // AVX-512 F, VL, DQ and BW

}  // namespace givens::runtime
