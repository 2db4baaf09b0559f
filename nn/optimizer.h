// What all optimisers share. How to write one: nn/optim.cpp has four.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "autograd/var.h"
#include "nn/named_tensors.h"

namespace imago::optim {

// Updates parameters in place from their accumulated gradients, so they keep their addresses.
// Parameters come in groups, each with options of its own (learning rate, weight decay, ...): the
// constructor makes group 0 and the classes' add_group the others.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  // One update. A parameter without a gradient, or one that is frozen now, is left alone together
  // with what is kept of it and its own count of steps.
  void step() {
    begin_step();
    apply();
  }
  // The two halves of step(), for a captured one: begin_step() counts and writes this step's values
  // (learning rate, bias corrections) to where apply() reads them, on the device, and apply() puts
  // the kernels into the stream and touches the host no more. Capture apply() and call begin_step()
  // before each replay, with gradients at the same parameters each time.
  void begin_step();
  void apply();

  // Drops the gradients.
  void zero_grad();

  // The base learning rate, of every group or of one.
  void set_lr(double lr);
  void set_lr(std::size_t group, double lr);
  // Steps use the base rate times this factor, from now on: what a schedule gives (nn/schedule.h).
  void set_lr_factor(double factor);
  // What the next step uses.
  double lr(std::size_t group = 0) const;

  std::size_t groups() const { return groups_.size(); }
  // Of all groups, in order.
  const Vars& parameters() const { return parameters_; }

  // What is kept of each parameter, by the position of the parameter among all groups ("m.0",
  // "v.0", ..., of its shape), and "steps" i64 (number of parameters), on the CPU, the updates each
  // has had. Shares memory with the optimiser. Options and learning rates are not part of it.
  NamedTensors state_dict() const;
  // Strict; copies in place.
  void load_state_dict(const NamedTensors& state);

 protected:
  // Parameters of one group that have had equally many steps and go through the kernel together.
  // In ordinary training that is the whole group.
  struct Batch {
    std::size_t group;
    std::vector<std::size_t> members;
    Tensor slots;  // this step's values, beside the parameters
  };
  // The tensors of a batch: parameters, gradients and what is kept, list by list.
  struct BatchTensors {
    std::vector<Tensor> p, g;
    std::vector<std::vector<Tensor>> kept;
  };

  // `name` is the class's, for messages.
  explicit Optimizer(const char* name) : name_(name) {}
  Optimizer(Optimizer&&) = default;
  Optimizer& operator=(Optimizer&&) = default;

  // Appends a group of parameters, for each of which zeros are kept under these names. Throws
  // unless they are leaves of f32 or f64, all groups' of one dtype and on one device, and no two
  // share memory.
  void add(Vars parameters, double lr, std::vector<std::string> kept);

  // The values of step t = 1, 2, ... of a group at that learning rate, in the order its kernel
  // reads them. They are f64, though other step values are f32: f64 parameters follow the f64
  // reference runs to about 1e-14 only with factors of that precision (rounded to f32 they are off
  // by 1e-8 after one step). The kernel rounds them once for f32.
  virtual std::vector<double> slots(std::size_t group, double lr, std::int64_t t) const = 0;
  // Puts the kernel into the stream.
  virtual void update(std::size_t group, BatchTensors& tensors, const Tensor& slots) = 0;

 private:
  struct Group {
    std::size_t begin, end;  // among parameters_
    double lr;
    std::vector<std::string> kept;
  };

  void check_lr(double lr) const;

  const char* name_;
  Vars parameters_;
  std::vector<std::vector<Tensor>> kept_;  // of each parameter, in the order of its group's names
  std::vector<Group> groups_;
  std::vector<Batch> batches_;  // of the current step
  std::vector<Tensor> memory_;  // slots of batch 0, 1, ...: they keep their addresses
  Tensor steps_;                // (number of parameters), i64, on the CPU
  double lr_factor_ = 1;
};

}  // namespace imago::optim
