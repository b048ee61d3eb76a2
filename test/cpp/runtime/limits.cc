// What the environment and the control groups allow.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/settings.h"
#include "check.h"
#include "runtime/cgroup.h"

namespace nabla {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMega = int64_t{1} << 20;

struct File {
  const char *path, *text;
};

// A machine in a folder of its own: what it says of the groups of this process.
GroupLimits limits_of(const std::vector<File>& files) {
  std::string folder = (fs::temp_directory_path() / "nabla-groups-XXXXXX").string();
  CHECK(mkdtemp(folder.data()));
  for (const File& file : files) {
    const fs::path path = folder + file.path;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << file.text;
  }
  const GroupLimits limits = group_limits(folder.c_str());
  fs::remove_all(folder);
  return limits;
}

constexpr File kV2Mount = {"/proc/self/mountinfo",
                           "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
                           "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"};
constexpr const char* kV1Mounts =
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 master:2 - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "37 31 0:33 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"
    "38 31 0:34 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

void no_groups() {
  const GroupLimits limits = limits_of({});
  CHECK(limits.memory == INT64_MAX && limits.cpus >= 1e9);
}

void version_2() {
  const File group = {"/proc/self/cgroup", "0::/user.slice/job.scope\n"};
  // At the root, as in a container with a name space of its own.
  GroupLimits limits = limits_of({kV2Mount,
                                  {"/proc/self/cgroup", "0::/\n"},
                                  {"/sys/fs/cgroup/memory.max", "314572800\n"},
                                  {"/sys/fs/cgroup/cpu.max", "50000 100000\n"}});
  CHECK(limits.memory == 300 * kMega && limits.cpus == 0.5);
  // Not at the root.
  limits = limits_of({kV2Mount,
                      group,
                      {"/sys/fs/cgroup/user.slice/job.scope/memory.max", "314572800\n"},
                      {"/sys/fs/cgroup/user.slice/job.scope/cpu.max", "150000 100000\n"}});
  CHECK(limits.memory == 300 * kMega && limits.cpus == 1.5);
  // A group above has less.
  limits = limits_of({kV2Mount,
                      group,
                      {"/sys/fs/cgroup/user.slice/job.scope/memory.max", "max\n"},
                      {"/sys/fs/cgroup/user.slice/memory.max", "104857600\n"},
                      {"/sys/fs/cgroup/user.slice/job.scope/cpu.max", "max 100000\n"},
                      {"/sys/fs/cgroup/user.slice/cpu.max", "200000 100000\n"}});
  CHECK(limits.memory == 100 * kMega && limits.cpus == 2);
  // Where the group is slowed down counts too.
  limits = limits_of({kV2Mount,
                      group,
                      {"/sys/fs/cgroup/user.slice/job.scope/memory.high", "104857600\n"},
                      {"/sys/fs/cgroup/user.slice/job.scope/memory.max", "314572800\n"}});
  CHECK(limits.memory == 100 * kMega);
  limits = limits_of({kV2Mount, group, {"/sys/fs/cgroup/user.slice/job.scope/cpu.max", "max\n"}});
  CHECK(limits.memory == INT64_MAX && limits.cpus >= 1e9);
}

void version_1() {
  const File mounts = {"/proc/self/mountinfo", kV1Mounts};
  const File group = {"/proc/self/cgroup",
                      "9:name=systemd:/\n4:memory:/jobs/a\n3:cpuset:/b\n2:cpu,cpuacct:/jobs\n0::/\n"};
  GroupLimits limits = limits_of({mounts,
                                  group,
                                  {"/sys/fs/cgroup/memory/jobs/a/memory.limit_in_bytes", "314572800\n"},
                                  {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"},
                                  {"/sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_quota_us", "50000\n"},
                                  {"/sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_period_us", "100000\n"}});
  CHECK(limits.memory == 300 * kMega && limits.cpus == 0.5);
  limits = limits_of({mounts,
                      group,
                      {"/sys/fs/cgroup/memory/jobs/a/memory.limit_in_bytes", "9223372036854771712\n"},
                      {"/sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", "104857600\n"},
                      {"/sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_quota_us", "-1\n"},
                      {"/sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_period_us", "100000\n"}});
  CHECK(limits.memory == 100 * kMega && limits.cpus >= 1e9);
  // In a container that sees the host's names but mounts only its own group, at a place with a space in it.
  limits = limits_of({{"/proc/self/mountinfo", "40 31 0:32 /docker/1f /my\\040groups ro - cgroup cgroup rw,memory\n"},
                      {"/proc/self/cgroup", "4:memory:/docker/1f\n"},
                      {"/my groups/memory.limit_in_bytes", "314572800\n"}});
  CHECK(limits.memory == 300 * kMega);
  // In one that sees nothing of its group's name.
  limits = limits_of({{"/proc/self/mountinfo", "40 31 0:32 /docker/1f /groups ro - cgroup cgroup rw,memory\n"},
                      {"/proc/self/cgroup", "4:memory:/../../elsewhere\n"},
                      {"/groups/memory.limit_in_bytes", "314572800\n"}});
  CHECK(limits.memory == 300 * kMega);
}

void nonsense() {
  const std::string longest(5000, 'x');
  const std::string mounts = longest + " - cgroup2\n- - -\n\n1 2 3\n" + kV2Mount.text;
  const std::string groups = longest + "\n:\n::\n0::/a\n";
  const GroupLimits limits = limits_of({{"/proc/self/mountinfo", mounts.c_str()},
                                        {"/proc/self/cgroup", groups.c_str()},
                                        {"/sys/fs/cgroup/a/memory.max", "many\n"},
                                        {"/sys/fs/cgroup/a/cpu.max", "0 0\n"},
                                        {"/sys/fs/cgroup/memory.max", "104857600\n"}});
  CHECK(limits.memory == 100 * kMega && limits.cpus >= 1e9);
}

}  // namespace

void settings_are_read_as_people_write_them() {
  const struct {
    const char* text;
    int64_t bytes;
  } good[] = {{"1048576", kMega},
              {"1024k", kMega},
              {"1M", kMega},
              {"1mb", kMega},
              {"1 MB", kMega},
              {"1 m", kMega},
              {".5m", kMega / 2},
              {"1.5G", 1536 * kMega},
              {"2gB", 2048 * kMega},
              {"1e6", 1'000'000},
              {"2T", int64_t{1} << 41},
              {"0.25 tb", int64_t{1} << 38},
              {"512b", 512},
              {"7", 7}};
  for (const auto& [text, expected] : good) {
    int64_t bytes = 0;
    CHECK(parse_bytes(text, bytes) && bytes == expected);
  }
  for (const char* text : {"",     "0",   "0.4", "-1", "-1g",  "+1g", "g",   "b",    "one",  "1 x", "1gg", "1gbb",
                           "1  g", " 1g", "1g ", "1p", "0x10", "inf", "nan", "1e30", "9e9t", "10%", "1,5g"}) {
    int64_t bytes = 0;
    CHECK(!parse_bytes(text, bytes));
  }
  int count = 0;
  CHECK(parse_count("1", count) && count == 1);
  CHECK(parse_count("64", count) && count == 64);
  for (const char* text : {"", "0", "-1", "1.5", "2x", " 2", "two", "99999999999999999999"})
    CHECK(!parse_count(text, count));
}

void limits_of_groups_are_found() {
  no_groups();
  version_2();
  version_1();
  nonsense();
}

}  // namespace nabla
