#include "apps/support/flags.h"

#include <unistd.h>
#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace imago::apps {

struct Flags::Parser {
  CLI::App app;
};

namespace {

// Threads that wait for each other should sleep, not spin: spinning costs the loader's workers
// their cores, and on a busy machine a step has been seen to take 17 times as long. OpenMP decides
// that before main, so the program starts itself once more.
void let_waiting_threads_sleep(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  ::execv("/proc/self/exe", argv);  // where that is impossible, go on as we are
}

CLI::Validator number_within(double low, double high) {
  const std::string range = CLI::detail::to_string(low) + " to " + CLI::detail::to_string(high);
  return CLI::Validator(
      [=](std::string& text) {
        double value = 0;
        const bool inside = CLI::detail::lexical_cast(text, value) && value >= low && value <= high;
        return inside ? std::string() : "'" + text + "' is not a number from " + range;
      },
      "NUMBER " + range);
}

CLI::Validator whole_number() {
  return CLI::Validator(
      [](std::string& text) {
        std::uint64_t value = 0;
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value);
        const bool fits = error == std::errc() && stop == end;
        return fits ? std::string() : "'" + text + "' is not a whole number from 0 to 2^64 - 1";
      },
      "WHOLE NUMBER");
}

// Whole numbers up to the most that their type holds have no other end worth naming.
template <class T>
CLI::Validator whole_within(T low, T high) {
  if (low == 0 && high == std::numeric_limits<T>::max()) return CLI::NonNegativeNumber;
  return CLI::Range(low, high);
}

template <class T>
void add_number(CLI::App& app, const std::string& name, T& value, T low, T high,
                const CLI::Validator& within, const std::string& help) {
  CLI::Option* option = app.add_option(name, value, help)->check(within);
  if (low <= value && value <= high) option->capture_default_str();
}

CLI::Option* add_text(CLI::App& app, const std::string& name, std::string& value,
                      const std::string& help) {
  CLI::Option* option = app.add_option(name, value, help);
  return value.empty() ? option : option->capture_default_str();
}

}  // namespace

Flags::Flags(const std::string& program, const std::string& purpose)
    : program_(program), parser_(new Parser{CLI::App(purpose, program)}) {}
Flags::~Flags() = default;

void Flags::text(const std::string& name, std::string& value, const std::string& help) {
  add_text(parser_->app, name, value, help);
}
void Flags::text(const std::string& name, std::string& value, const std::string& kind,
                 const Check& check, const std::string& help) {
  add_text(parser_->app, name, value, help)->transform(CLI::Validator(check, kind));
}
void Flags::required(const std::string& name, std::string& value, const std::string& help) {
  parser_->app.add_option(name, value, help)->required();
}
void Flags::argument(const std::string& name, std::string& value, const std::string& help) {
  add_text(parser_->app, name, value, help);
}
void Flags::choice(const std::string& name, std::string& value,
                   const std::vector<std::string>& among, const std::string& help) {
  add_text(parser_->app, name, value, help)->check(CLI::IsMember(among));
}
void Flags::choice(const std::string& name, int& value, const std::vector<int>& among,
                   const std::string& help) {
  parser_->app.add_option(name, value, help)->check(CLI::IsMember(among))->capture_default_str();
}
void Flags::number(const std::string& name, int& value, int low, int high,
                   const std::string& help) {
  add_number(parser_->app, name, value, low, high, whole_within(low, high), help);
}
void Flags::number(const std::string& name, std::int64_t& value, std::int64_t low,
                   std::int64_t high, const std::string& help) {
  add_number(parser_->app, name, value, low, high, whole_within(low, high), help);
}
void Flags::number(const std::string& name, double& value, double low, double high,
                   const std::string& help) {
  add_number(parser_->app, name, value, low, high, number_within(low, high), help);
}
void Flags::number(const std::string& name, std::optional<double>& value, double low, double high,
                   const std::string& help) {
  parser_->app.add_option(name, value, help)->check(number_within(low, high));
}
void Flags::seed(const std::string& name, std::uint64_t& value, const std::string& help) {
  parser_->app.add_option(name, value, help)->check(whole_number())->capture_default_str();
}
void Flags::on(const std::string& name, bool& value, const std::string& help) {
  parser_->app.add_flag(name, value, help);
}

void Flags::explain(const std::string& name, const std::string& help) {
  parser_->app.get_option(name)->description(help);
}
bool Flags::given(const std::string& name) const {
  return parser_->app.count(name) > 0;
}

int Flags::run(int argc, char** argv, const std::function<int()>& body) {
  let_waiting_threads_sleep(argv);
  const auto report = [&](const char* what) {
    std::string line;
    for (const char* c = what; *c; ++c) line += *c == '\n' ? std::string("; ") : std::string(1, *c);
    std::fprintf(stderr, "%s: %s\n", program_.c_str(), line.c_str());
  };
  try {
    parser_->app.parse(argc, argv);
    const int status = body();
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      report("cannot write to standard output; is the disk full?");
      return 1;
    }
    return status;
  } catch (const CLI::Success& done) {
    return parser_->app.exit(done);
  } catch (const CLI::ExtrasError& error) {
    report((std::string(error.what()) + "; --help lists the flags").c_str());
    return 2;
  } catch (const CLI::ParseError& error) {
    report(error.what());
    return 2;
  } catch (const UsageError& error) {
    report(error.what());
    return 2;
  } catch (const std::exception& error) {
    report(error.what());
    return 1;
  }
}

}  // namespace imago::apps
