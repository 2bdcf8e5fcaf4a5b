// What the CUDA engine asks of a device: launches, memory, streams and graphs, and the order in
// which it adds.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda_calls.hpp"
#include "cuda_emulator/control.hpp"

using namespace test;

namespace {

using cuda_emulator::Order;

template <class T>
struct Problem {
  Schedule schedule;
  OwnedParameters<real_t<T>> parameters;
  Array<T> x;
  Array<T> gy;

  Problem(const Schedule& schedule_, std::int64_t vectors, Random& random)
      : schedule(schedule_),
        parameters(random_parameters<real_t<T>>(schedule, full_choice<T>(), random, {})),
        x(random.array<T>({vectors, schedule.n()})),
        gy(random.array<T>({vectors, schedule.n()})) {}
};

// A workspace and one byte more. Its bytes are NaN in every type, as the emulator's new memory is.
DeviceCopy<unsigned char> workspace(std::size_t bytes) {
  return DeviceCopy<unsigned char>(
      Array<unsigned char>({static_cast<std::int64_t>(bytes) + 1}, 0xff));
}

template <class To, class From>
To same_bytes(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(static_cast<void*>(&to), &from, sizeof to);
  return to;
}

}  // namespace

TEST_CASE("cuda: float takes one launch beside the launch for coefficients") {
  const PlansOfTest plans;
  Random random(21);
  for (const Schedule& schedule :
       {Schedule::xor_(96), Schedule::circle(50), Schedule::brickwall(40), Schedule::team(64, 8),
        Schedule::xor_(2048, 1)}) {
    const Problem<float> p(schedule, schedule.n() > 1000 ? 2 : 70, random);
    const auto launches = [](auto&& call) {
      cuda_emulator::reset_launch_counts();
      call();
      return cuda_emulator::launch_count();
    };
    Array<float> U({0});
    CHECK(launches([&] { cuda_rotated(p.x, p.parameters, p.schedule); }) == 2);
    CHECK(launches([&] { cuda_gradients(p.x, p.gy, p.parameters, p.schedule); }) == 2);
    CHECK(launches([&] { U = cuda_matrix<float>(p.parameters, p.schedule); }) == 2);
    CHECK(launches([&] { cuda_matrix_gradients(U, U, p.parameters, p.schedule); }) == 2);
  }
}

TEST_CASE_TEMPLATE("cuda: the same bits in every order of threads and blocks", T,
                   GIVENS_TEST_TYPES) {
  const PlansOfTest plans;
  Random random(22);
  const Problem<T> p(Schedule::circle(27), 40, random);
  cuda_emulator::set_order(Order::forward);
  const auto y = cuda_rotated(p.x, p.parameters, p.schedule);
  const auto expected = cuda_gradients(y, p.gy, p.parameters, p.schedule);
  const auto U = cuda_matrix<T>(p.parameters, p.schedule);
  const auto of_U = cuda_matrix_gradients(U, U, p.parameters, p.schedule);
  for (const Order order : {Order::reverse, Order::random, Order::random}) {
    cuda_emulator::set_order(order, static_cast<std::uint64_t>(random.below(1000)));
    CHECK(same_bits(cuda_rotated(p.x, p.parameters, p.schedule).values, y.values));
    const auto got = cuda_gradients(y, p.gy, p.parameters, p.schedule);
    CHECK(same_bits(got.gx.values, expected.gx.values));
    CHECK(same_bits(got.of.all(), expected.of.all()));
    CHECK(same_bits(cuda_matrix<T>(p.parameters, p.schedule).values, U.values));
    CHECK(same_bits(cuda_matrix_gradients(U, U, p.parameters, p.schedule).of.all(), of_U.of.all()));
  }
  cuda_emulator::set_order(Order::random);
}

TEST_CASE("cuda: 16-bit numbers are computed with as float and rounded once") {
  const PlansOfTest plans;
  Random random(23);
  const auto check_one = [&](auto type, double epsilon, const auto& narrow, const auto& wide,
                             const Schedule& schedule, std::int64_t vectors, std::int64_t axis) {
    const RotateOptions options{axis, axis == -2};
    const auto parameters = random_parameters<float>(schedule, {}, random, {});
    using T = decltype(type);
    const auto convert = [&](const Array<float>& from) {
      Array<T> out(from.shape, T{});
      for (std::size_t k = 0; k < from.values.size(); ++k) out.values[k] = narrow(from.values[k]);
      return out;
    };
    const auto back = [&](const Array<T>& from) {
      Array<float> out(from.shape);
      for (std::size_t k = 0; k < from.values.size(); ++k) out.values[k] = wide(from.values[k]);
      return out;
    };
    const Array<T> x = convert(random.array<float>(axis == -1 ? Shape{vectors, schedule.n()}
                                                              : Shape{schedule.n(), vectors}));
    const Array<float> x32 = back(x);
    const auto close = [&](const Array<float>& got, const Array<float>& expected) {
      // The result is rounded, and the float before it.
      double worst = 0;
      for (std::size_t k = 0; k < got.values.size(); ++k) {
        const double right = static_cast<double>(expected.values[k]);
        worst = std::max(worst, std::abs(static_cast<double>(got.values[k]) - right) /
                                    (epsilon / 2 * std::abs(right) + 1e-5));
      }
      CHECK(worst <= 1);
    };
    const Array<T> y = cuda_rotated(x, parameters, schedule, options);
    close(back(y), cuda_rotated(x32, parameters, schedule, options));
    const Array<T> U = cuda_matrix<T>(parameters, schedule);
    close(back(U), cuda_matrix<float>(parameters, schedule));
    const auto got = cuda_gradients(y, x, parameters, schedule, options);
    const auto expected = cuda_gradients(back(y), x32, parameters, schedule, options);
    close(back(got.gx), expected.gx);
    CHECK(same_bits(got.of.all(), expected.of.all()));
  };
  const auto check = [&](const auto&... arguments) {
    check_one(arguments..., Schedule::xor_(1), 2, -1);
    check_one(arguments..., Schedule::circle(3), 33, -2);
    check_one(arguments..., Schedule::xor_(20), 5, -1);
    check_one(arguments..., Schedule::team(33, 8), 9, -2);
    check_one(arguments..., Schedule::xor_(129, 4), 1, -1);
  };
  check(
      givens::Half{}, 0x1p-10, [](float v) { return same_bytes<givens::Half>(__float2half_rn(v)); },
      [](givens::Half v) { return __half2float(same_bytes<__half>(v)); });
  check(
      givens::BFloat16{}, 0x1p-7,
      [](float v) { return same_bytes<givens::BFloat16>(__float2bfloat16_rn(v)); },
      [](givens::BFloat16 v) { return __bfloat162float(same_bytes<__nv_bfloat16>(v)); });
}

TEST_CASE_TEMPLATE("cuda: with a workspace nothing is allocated, and less of it gives the same", T,
                   float, std::complex<double>) {
  const PlansOfTest plans;
  Random random(24);
  const Schedule schedule = Schedule::circle(12);
  auto parameters = random_parameters<real_t<T>>(schedule, full_choice<T>(), random, {7});
  const auto y = random.array<T>({7, 3, 12});
  const auto gy = random.array<T>({7, 3, 12});
  const auto expected = cuda_gradients(y, gy, parameters, schedule);

  Gradients<T> out{Array<T>(y.shape), OwnedGradients<real_t<T>>(parameters)};
  const DeviceCopy<T> device_y(y);
  const DeviceCopy<T> device_gy(gy);
  const DeviceCopy<T> gx(out.gx);
  const auto device_parameters = on_device(parameters);
  auto gradients = on_device(out.of);
  const auto size = givens::cuda::rotate_vjp_workspace<T>(device_y.view(), device_gy.view(),
                                                          device_parameters.views(), schedule,
                                                          gx.view(), gradients.views());
  CHECK(size.least > 0);
  CHECK(size.best > size.least);
  const auto memory = workspace(size.best);
  const auto call = [&](void* data, std::size_t bytes) {
    givens::cuda::LaunchOptions launch;
    launch.workspace = {data, bytes};
    const std::size_t before = cuda_emulator::allocation_count();
    givens::cuda::rotate_vjp<T>(device_y.view(), device_gy.view(), device_parameters.views(),
                                schedule, gx.view(), gradients.views(), {}, launch);
    CHECK(cuda_emulator::allocation_count() == before);
    out.of = copied_back(gradients);
    CHECK(same_bits(gx.copied_back().values, expected.gx.values));
    CHECK(same_bits(out.of.all(), expected.of.all()));
  };
  call(memory.data(), size.best);
  call(memory.data(), size.least);
  call(memory.data(), size.least + 600);
  CHECK_THROWS_WITH_AS(call(memory.data(), size.least - 1),
                       ("workspace must have at least " + std::to_string(size.least) +
                        " bytes, got " + std::to_string(size.least - 1))
                           .c_str(),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(call(memory.data() + 1, size.best), "workspace must be aligned to 256 bytes",
                       std::invalid_argument);
}

TEST_CASE("cuda: calls can be captured in a graph and replayed") {
  const PlansOfTest plans;
  Random random(25);
  const Problem<float> p(Schedule::xor_(24), 9, random);
  givens::cuda::prepare(p.schedule);
  const DeviceCopy<float> x(p.x);
  const DeviceCopy<float> y(Array<float>(p.x.shape));
  const auto parameters = on_device(p.parameters);
  const auto size =
      givens::cuda::rotate_workspace<float>(x.view(), parameters.views(), p.schedule, y.view());
  const auto memory = workspace(size.best);
  cudaStream_t stream = nullptr;
  require(cudaStreamCreate(&stream));
  givens::cuda::LaunchOptions launch;
  launch.stream = stream;
  launch.workspace = {memory.data(), size.best};
  require(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  givens::cuda::rotate<float>(x.view(), parameters.views(), p.schedule, y.view(), {}, launch);
  cudaGraph_t graph = nullptr;
  require(cudaStreamEndCapture(stream, &graph));
  cudaGraphExec_t executable = nullptr;
  require(cudaGraphInstantiate(&executable, graph, 0));
  CHECK(y.copied_back().values == Array<float>(p.x.shape).values);
  require(cudaGraphLaunch(executable, stream));
  require(cudaStreamSynchronize(stream));
  CHECK(same_bits(y.copied_back().values, cuda_rotated(p.x, p.parameters, p.schedule).values));
  require(cudaGraphExecDestroy(executable));
  require(cudaGraphDestroy(graph));
  require(cudaStreamDestroy(stream));
}

TEST_CASE(
    "cuda: a call works on the device that it is told, and leaves the current device as it was") {
  const PlansOfTest plans;
  Random random(26);
  const Problem<float> p(Schedule::xor_(10), 3, random);
  const auto expected = cuda_rotated(p.x, p.parameters, p.schedule);
  require(cudaSetDevice(1));
  {
    const DeviceCopy<float> x(p.x);
    const DeviceCopy<float> y(Array<float>(p.x.shape));
    const auto parameters = on_device(p.parameters);
    require(cudaSetDevice(0));
    givens::cuda::LaunchOptions launch;
    launch.device = 1;
    givens::cuda::rotate<float>(x.view(), parameters.views(), p.schedule, y.view(), {}, launch);
    int current = -1;
    require(cudaGetDevice(&current));
    CHECK(current == 0);
    CHECK(same_bits(y.copied_back().values, expected.values));
    launch.device = 7;
    CHECK_THROWS_AS(
        givens::cuda::rotate<float>(x.view(), parameters.views(), p.schedule, y.view(), {}, launch),
        givens::cuda::Error);
  }
}

TEST_CASE("cuda: any amount of shared memory will do") {
  const DevicesOfTest devices;
  Random random(27);
  const Problem<float> p(Schedule::xor_(100), 33, random);
  const auto expected = cuda_gradients(p.x, p.gy, p.parameters, p.schedule);
  for (const int bytes : {227 * 1024, 99 * 1024, 64 * 1024, 48 * 1024, 4096, 2048}) {
    CAPTURE(bytes);
    const PlansOfTest plans;
    cuda_emulator::set_shared_memory(0, bytes);
    const auto got = cuda_gradients(p.x, p.gy, p.parameters, p.schedule);
    CHECK(largest_difference(got.gx.values, expected.gx.values) <= 1e-5);
    CHECK(largest_difference(got.of.all(), expected.of.all()) <= 1e-4);
  }
}

TEST_CASE("cuda: a failure names the call") {
  const DevicesOfTest devices;
  const PlansOfTest plans;
  Random random(28);
  const Problem<float> p(Schedule::xor_(10), 3, random);
  const DeviceCopy<float> x(p.x);
  const DeviceCopy<float> y(Array<float>(p.x.shape));
  const auto parameters = on_device(p.parameters);
  givens::cuda::prepare(p.schedule);
  cuda_emulator::set_memory_size(0, 1);
  CHECK_THROWS_WITH_AS(
      givens::cuda::rotate<float>(x.view(), parameters.views(), p.schedule, y.view()),
      doctest::Contains("cudaMallocAsync: "), givens::cuda::Error);
  cuda_emulator::set_device_count(0, cudaErrorNoDevice);
  CHECK(givens::cuda::unavailable_reason().find("cudaGetDeviceCount: cudaErrorNoDevice") == 0);
  cuda_emulator::set_device_count(2);
  CHECK(givens::cuda::unavailable_reason() == "");
}

TEST_CASE("cuda: wrong arguments are refused") {
  const PlansOfTest plans;
  Random random(29);
  const Problem<float> p(Schedule::xor_(10), 3, random);
  const DeviceCopy<float> x(p.x);
  const auto parameters = on_device(p.parameters);
  CHECK_THROWS_WITH_AS(givens::cuda::rotate<float>(x.view(), parameters.views(), p.schedule,
                                                   ArrayView<float>(x.data() + 1, {2, 10}), {}),
                       doctest::Contains("out must have shape"), std::invalid_argument);
  const DeviceCopy<float> longer(Array<float>({4, 10}));
  CHECK_THROWS_WITH_AS(givens::cuda::rotate<float>(ArrayView<const float>(longer.data(), {3, 10}),
                                                   parameters.views(), p.schedule,
                                                   ArrayView<float>(longer.data() + 10, {3, 10})),
                       "out must not overlap an input on a GPU, but may be x itself",
                       std::invalid_argument);

  // But `out` may be x itself.
  givens::cuda::rotate<float>(x.view(), parameters.views(), p.schedule, x.view());
  CHECK(same_bits(x.copied_back().values, cuda_rotated(p.x, p.parameters, p.schedule).values));
}
