#include "base/settings.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace nabla {
namespace {

// An empty variable counts as unset.
const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

struct Read {
  Settings settings;
  UnusableSetting unusable;

  Read() {
    const char* limit = variable("NABLA_MEMORY_LIMIT");
    if (*limit && !parse_bytes(limit, settings.memory_limit))
      unusable = {"NABLA_MEMORY_LIMIT", "a number of bytes, alone or with k, m, g or t: 512m, 1.5g, 2 GB"};
    const char* threads = variable("NABLA_NUM_THREADS");
    if (*threads && !parse_count(threads, settings.threads))
      unusable = {"NABLA_NUM_THREADS", "an integer of at least 1"};
    // A copy: a later setenv invalidates what getenv returned.
    std::snprintf(settings.isa, sizeof settings.isa, "%s", variable("NABLA_ISA"));
  }
};

const Read& read() {
  static const Read once;
  return once;
}

}  // namespace

const Settings& settings() { return read().settings; }
UnusableSetting unusable_setting() { return read().unusable; }

bool parse_bytes(const char* text, int64_t& bytes) {
  if (!digit(text[0]) && !(text[0] == '.' && digit(text[1]))) return false;
  if (text[0] == '0' && lower(text[1]) == 'x') return false;
  char* end = nullptr;
  double value = std::strtod(text, &end);
  if (*end == ' ') end++;
  const char* units = "kmgt";
  if (const char* unit = *end ? std::strchr(units, lower(*end)) : nullptr) {
    for (const char* u = units; u <= unit; u++) value *= 1024;
    end++;
  }
  if (lower(*end) == 'b') end++;
  if (*end || !(value >= 1) || value > 9007199254740992.0) return false;
  bytes = static_cast<int64_t>(value);
  return true;
}

bool parse_count(const char* text, int& count) {
  int64_t value = 0;
  for (const char* c = text; *c; c++) {
    if (!digit(*c)) return false;
    value = 10 * value + (*c - '0');
    if (value > INT32_MAX) return false;
  }
  if (value < 1) return false;
  count = static_cast<int>(value);
  return true;
}

}  // namespace nabla
