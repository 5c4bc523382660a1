// What tests of the agent share: a clock that they set, the error of a call, small requests.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include "core/clock.h"
#include "core/error.h"
#include "gtest/gtest.h"
#include "hot/v1/device.pb.h"

namespace hot::server {

// Stands still unless advanced. Thread-safe.
class FakeClock : public Clock {
 public:
  int64_t NowNs() const override { return now_ns_; }
  int64_t WallSeconds() const override { return wall_s_; }
  void Advance(int64_t seconds) {
    now_ns_ += seconds * 1'000'000'000;
    wall_s_ += seconds;
  }
  // The machine was switched off: monotonic time begins anew.
  void Reboot(int64_t seconds_off) {
    now_ns_ = 1;
    wall_s_ += seconds_off;
  }

 private:
  std::atomic<int64_t> now_ns_ = 1'000'000'000'000, wall_s_ = 1'795'000'000;
};

inline Error Failure(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(Code::kOk, "", "");
}

inline Code FailureCode(const std::function<void()>& work) { return Failure(work).code(); }

inline v1::SubmitRequest CompileRequest(const std::string& id, v1::Priority priority = v1::PRIORITY_NORMAL) {
  v1::SubmitRequest request;
  request.set_job_id(id);
  request.set_priority(priority);
  request.mutable_compile()->set_toolchain("openvino");
  return request;
}

inline v1::SubmitRequest ProfileRequest(const std::string& id) {
  v1::SubmitRequest request;
  request.set_job_id(id);
  request.mutable_profile()->add_artifacts();
  return request;
}

}  // namespace hot::server
