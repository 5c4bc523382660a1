// The job queue's tables as numbered forward migrations (docs/formats/job-queue.md), and how a job is read from them.
// To change the format: append a migration, describe it there, keep the fixtures of older versions readable. Used by
// job_queue.cpp only.
#pragma once

#include <span>
#include <string_view>

#include "server/job_queue.h"
#include "store/sqlite/connection.h"

namespace hot::server {

inline constexpr sqlite::FileKind kJobQueue = {"job queue", 0x484f5451};  // "HOTQ"

// Element i brings a file of version i to version i + 1. Never edit one that was released.
std::span<const std::string_view> JobQueueMigrations();

// Jobs that have not ended, in this process: since when (monotonic) a job waits or runs, and until when its lease
// lasts. Not in the file: clocks start anew with the machine, and leases with the agent.
extern const std::string_view kLiveJobs;

std::string_view KindName(JobKind kind);
JobKind ParseKind(std::string_view name);
std::string_view StateName(v1::JobState state);
v1::JobState ParseState(std::string_view name);

// SELECT ... FROM job without a WHERE: sequence, then what ReadJob() reads. ?1 is now, monotonic.
extern const std::string_view kSelectJob;
JobRow ReadJob(sqlite::Statement& statement);

}  // namespace hot::server
