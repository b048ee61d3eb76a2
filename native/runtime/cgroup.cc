#include "runtime/cgroup.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace nabla {
namespace {

constexpr int kLine = 4096;

// Reads lines of a file; longer ones than the buffer are skipped.
class Lines {
 public:
  Lines(const char* root, const char* path) {
    char name[kLine];
    if (std::snprintf(name, sizeof name, "%s%s", root, path) < kLine) file_ = std::fopen(name, "r");
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  ~Lines() {
    if (file_) std::fclose(file_);
  }
  char* next() {
    bool whole = true;
    while (file_ && std::fgets(line_, kLine, file_)) {
      char* end = std::strchr(line_, '\n');
      const bool begun = whole;
      whole = end || std::feof(file_);
      if (end) *end = 0;
      if (begun && whole) return line_;
    }
    return nullptr;
  }

 private:
  std::FILE* file_ = nullptr;
  char line_[kLine];
};

// The text up to the separator, which is overwritten; `rest` points behind it.
char* split(char*& rest, char separator) {
  char* start = rest;
  char* at = std::strchr(rest, separator);
  rest = at ? at + 1 : rest + std::strlen(rest);
  if (at) *at = 0;
  return start;
}

bool lists(char* names, const char* wanted) {
  while (*names)
    if (std::strcmp(split(names, ','), wanted) == 0) return true;
  return false;
}

// Spaces and similar characters are written as \040 in mountinfo.
void unescape(char* text) {
  char* to = text;
  for (char* from = text; *from; to++) {
    if (from[0] == '\\' && from[1] && from[2] && from[3]) {
      *to = static_cast<char>((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
      from += 4;
    } else {
      *to = *from++;
    }
  }
  *to = 0;
}

// The group of this process in the hierarchy of a v1 controller, or of v2 with nullptr.
bool find_group(const char* root, const char* controller, char* group) {
  Lines lines(root, "/proc/self/cgroup");
  while (char* rest = lines.next()) {
    split(rest, ':');  // the number of the hierarchy
    char* controllers = split(rest, ':');
    if (controller ? !lists(controllers, controller) : *controllers != 0) continue;
    std::strcpy(group, rest);  // a part of a line of the same length
    return true;
  }
  return false;
}

// The first numbers of a file; missing ones and "max" leave the values unchanged.
void read_numbers(const char* folder, const char* name, double* first, double* second = nullptr) {
  Lines lines(folder, name);
  char* rest = lines.next();
  for (double* number : {first, second}) {
    if (!rest || !number) return;
    const char* word = split(rest, ' ');
    char* end = nullptr;
    const double value = std::strtod(word, &end);
    if (end != word) *number = value;
  }
}

void limit_memory(GroupLimits& limits, double bytes) {
  // v1 represents "no limit" by the largest multiple of a page.
  if (bytes >= 0 && bytes < 0x1p60 && bytes < static_cast<double>(limits.memory))
    limits.memory = static_cast<int64_t>(bytes);
}

void limit_cpus(GroupLimits& limits, double quota, double period) {
  if (quota > 0 && period > 0) limits.cpus = std::fmin(limits.cpus, quota / period);
}

void read_v1(const char* folder, GroupLimits& limits) {
  double bytes = -1, quota = -1, period = -1;
  read_numbers(folder, "/memory.limit_in_bytes", &bytes);
  limit_memory(limits, bytes);
  read_numbers(folder, "/cpu.cfs_quota_us", &quota);
  read_numbers(folder, "/cpu.cfs_period_us", &period);
  limit_cpus(limits, quota, period);
}

void read_v2(const char* folder, GroupLimits& limits) {
  // Above `high` a group is throttled, above `max` it is killed.
  for (const char* name : {"/memory.max", "/memory.high"}) {
    double bytes = -1;
    read_numbers(folder, name, &bytes);
    limit_memory(limits, bytes);
  }
  double quota = -1, period = -1;
  read_numbers(folder, "/cpu.max", &quota, &period);
  limit_cpus(limits, quota, period);
}

// Visits the group's folder under a mount that shows the hierarchy from `top` on, and all its parents up to the mount.
template <class Read>
void read_upwards(const char* root, const char* mount, const char* top, const char* group, Read&& read) {
  const size_t shown = std::strcmp(top, "/") == 0 ? 0 : std::strlen(top);
  const bool inside =
      std::strncmp(group, top, shown) == 0 && (group[shown] == '/' || group[shown] == 0) && !std::strstr(group, "/..");
  char folder[3 * kLine];
  const int length = std::snprintf(folder, sizeof folder, "%s%s", root, mount);
  std::snprintf(folder + length, sizeof folder - static_cast<size_t>(length), "%s", inside ? group + shown : "");
  for (;;) {
    read(folder);
    char* slash = std::strrchr(folder + length, '/');
    if (!slash) return;
    *slash = 0;
  }
}

}  // namespace

GroupLimits group_limits(const char* root) {
  GroupLimits limits;
  char group[kLine];
  Lines mounts(root, "/proc/self/mountinfo");
  // id parent device TOP MOUNT options [fields] - TYPE source OPTIONS
  while (char* rest = mounts.next()) {
    for (int i = 0; i < 3; i++) split(rest, ' ');
    char* top = split(rest, ' ');
    char* mount = split(rest, ' ');
    rest = std::strstr(rest, " - ");
    if (!rest) continue;
    rest += 3;
    const char* type = split(rest, ' ');
    split(rest, ' ');
    unescape(top);
    unescape(mount);
    if (std::strcmp(type, "cgroup2") == 0 && find_group(root, nullptr, group))
      read_upwards(root, mount, top, group, [&](const char* folder) { read_v2(folder, limits); });
    if (std::strcmp(type, "cgroup") != 0) continue;
    for (const char* controller : {"memory", "cpu"}) {
      char options[kLine];
      std::strcpy(options, rest);
      if (lists(options, controller) && find_group(root, controller, group))
        read_upwards(root, mount, top, group, [&](const char* folder) { read_v1(folder, limits); });
    }
  }
  return limits;
}

}  // namespace nabla
