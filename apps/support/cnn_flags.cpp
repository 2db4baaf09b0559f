#include "apps/support/cnn_flags.h"

#include <algorithm>
#include <filesystem>
#include <numbers>

#include "apps/support/classes.h"
#include "data/augment.h"
#include "data/labels.h"
#include "models/checkpoint_entries.h"
#include "tensor/error.h"

namespace imago::apps {
namespace {

using models::RecognitionHead;

bool is_margin_head(RecognitionHead head) {
  return head == RecognitionHead::cosface || head == RecognitionHead::arcface;
}

// A file gets its full path: a resumed run may be started in another folder.
std::string settle_file(std::string& text) {
  if (text.empty()) return "must be a file, not empty";
  text = std::filesystem::absolute(text).lexically_normal().string();
  if (!data::is_utf8(text)) return "must be called by UTF-8 text: config.json has to hold it";
  return "";
}

void add_network_flags(Flags& flags, CnnFlags& f) {
  flags.choice("--head", f.head, models::recognition_heads(),
               "What it is trained with: binary and expression for classes, the others for people");
  flags.choice("--network", f.cnn.network, models::face_cnn_networks(), "What embeds faces");
  flags.number("--image", f.cnn.image, 22, 224, "Height and width of the images it sees");
  flags.number("--base", f.cnn.base, 1, 1024, "Channels of the widest images; not of seed003");
  flags.number("--dimensions", f.cnn.dimensions, 1, 65536, "Of the embedding; not of seed003");
  flags.number("--dropout", f.cnn.dropout, 0, 0.99, "Before the last layer; not of seed003");
  flags.on("--grey", f.grey, "See the luma of images alone");
}

void add_choice_flags(Flags& flags, CnnFlags& f) {
  flags.number("--images-per-person", f.images_per_person, 0, 1'000'000,
               "Train on at most so many images of each class; 0: all");
  flags.text("--exclude-pairs", f.exclude_pairs, "FILE", settle_file,
             "Leave the people that a list like LFW's pairs.txt names out of training");
  flags.on("--balance", f.balance, "Show every class equally often, however few images it has");
  flags.number("--per-person", f.per_person, 1, 1024,
               "With --balance: images of one class together in a batch (of triplet, 4 unless "
               "given; it always balances)");
  flags.choice("--augment", f.augment, data::augment_presets(),
               "How images are changed each time they are shown");
}

void add_objective_flags(Flags& flags, CnnFlags& f) {
  flags.choice("--optimizer", f.optimizer, {"adamw", "sgd"},
               "sgd has momentum, and unless given --lr " + models::shortest(sgd_defaults::lr) +
                   " --weight-decay " + models::shortest(sgd_defaults::weight_decay));
  flags.number("--weight-decay", f.weight_decay, 0, 10,
               "Of weights of two or more axes; biases and norms have none");
  flags.number("--label-smoothing", f.label_smoothing, 0, 0.99, "Not of binary and triplet");
  flags.number("--scale", f.scale, 1e-3, 1e4, "Of the cosines of cosface and arcface");
  flags.number("--margin", f.margin, 0, 2,
               "Unless given: of cosface 0.35, of arcface 0.5, of triplet 0.2");
  flags.number("--ema", f.ema, 0, 0.99999,
               "What is saved to be used is a moving average with this decay; 0: none");
  flags.number("--schedule-steps", f.schedule_steps, 0, 0x7fffffff,
               "Steps in which the rate falls to 1%; 0: --steps of the run's first start");
  flags.text("--init", f.init, "CHECKPOINT", settle_file,
             "Start from the body's weights of another recogniser, whatever its head");
}

void refuse_given(const Flags& flags, const std::vector<const char*>& names,
                  const std::string& why) {
  for (const char* name : names) {
    if (flags.given(name)) throw UsageError(std::string(name) + " " + why);
  }
}

// Refuses what was given without effect. What a resumed run takes from config.json was not given:
// that file has every flag, used or not.
void check_given(const Flags& flags, const CnnFlags& f, RecognitionHead head) {
  const std::string not_of = "has no effect with --head " + f.head;
  if (f.cnn.network == "seed003") {
    refuse_given(flags, {"--base", "--dimensions", "--dropout"},
                 "has no effect with --network seed003, whose layers are what they are");
  }
  if (!is_margin_head(head)) refuse_given(flags, {"--scale"}, not_of);
  if (!is_margin_head(head) && head != RecognitionHead::triplet) {
    refuse_given(flags, {"--margin"}, not_of);
  }
  if (head == RecognitionHead::binary || head == RecognitionHead::triplet) {
    refuse_given(flags, {"--label-smoothing"}, not_of);
  }
  if (!of_people(head)) {
    refuse_given(flags, {"--exclude-pairs"}, "names people, and --head " + f.head + " knows none");
  }
  if (f.train.data == "procedural") {
    refuse_given(flags, {"--exclude-pairs"}, "is for people of a folder, not procedural ones");
    refuse_given(flags, {"--skip-broken"}, "is for a folder; no procedural face is broken");
  }
  if (f.train.resume) {
    refuse_given(flags, {"--init"}, "is for a fresh start; with --resume the run's weights go on");
  }
  if (head == RecognitionHead::triplet) return;
  if (!f.balance) refuse_given(flags, {"--per-person"}, "needs --balance");
  if (f.per_person == 1) {
    refuse_given(flags, {"--per-person"}, "is what there is without it when it is 1: leave it out");
  }
}

void set_defaults(const Flags& flags, CnnFlags& f, RecognitionHead head) {
  if (f.margin < 0) f.margin = models::default_margin(head);
  if (f.schedule_steps == 0) f.schedule_steps = f.train.steps;
  if (f.optimizer == "sgd") {
    if (!flags.given("--lr")) f.train.lr = sgd_defaults::lr;
    if (!flags.given("--weight-decay")) f.weight_decay = sgd_defaults::weight_decay;
  }
  if (head == RecognitionHead::triplet) {
    f.balance = true;
    if (!flags.given("--per-person")) f.per_person = 4;
  }
  if (head == RecognitionHead::expression && f.train.data == "procedural" &&
      !flags.given("--label")) {
    f.faces.label = "expression";
  }
  if (!of_people(head) && !flags.given("--split")) f.faces.split = "stratified";
}

// People are told apart, so the classes have to be people: else two classes, with and without
// glasses, would be taken for two people, and one of them held out whole.
void check_people(const CnnFlags& f, RecognitionHead head) {
  if (!of_people(head)) return;
  const std::string what = "--head " + f.head + " tells people apart, and ";
  const std::string instead = "; for classes take --head expression or binary";
  if (f.train.data == "procedural" && f.faces.label != "identity") {
    throw UsageError(what + "--label " + f.faces.label + " is none of who it is: take --label " +
                     "identity" + instead);
  }
  if (!f.faces.attribute.empty()) {
    throw UsageError(what + "--attribute " + f.faces.attribute + " is none of who it is" + instead);
  }
}

void check_numbers(const CnnFlags& f, RecognitionHead head) {
  const auto refuse_margin = [&](const std::string& range) {
    throw UsageError("--margin of " + f.head + " must be " + range);
  };
  if (head == RecognitionHead::cosface && !(f.margin <= 1)) refuse_margin("from 0 to 1");
  if (head == RecognitionHead::arcface && !(f.margin < std::numbers::pi / 2)) {
    refuse_margin("an angle of less than pi / 2");
  }
  if (head == RecognitionHead::triplet && !(f.margin > 0)) refuse_margin("more than 0");
  if (f.train.batch % f.per_person != 0) {
    throw UsageError("--per-person " + std::to_string(f.per_person) + " does not divide --batch " +
                     std::to_string(f.train.batch));
  }
  if (head == RecognitionHead::triplet && (f.per_person < 2 || f.train.batch / f.per_person < 2)) {
    throw UsageError(
        "--per-person of triplet must be at least 2, and at most half of --batch: a loss that "
        "compares needs several images of several people");
  }
  if (!of_people(head) && f.faces.split == "identity-disjoint") {
    throw UsageError("--split identity-disjoint holds whole classes out, all of which --head " +
                     f.head + " has to know; take --split stratified");
  }
  models::check_face_cnn(f.cnn);
  models::check_recogniser_training(trainer_options(f));
}

std::set<std::string> fixed_flags() {
  std::set<std::string> fixed = {"data", "batch", "seed", "lr", "skip-broken"};
  fixed.insert({"layout", "labels", "attribute", "crop", "label", "nuisances", "identities"});
  fixed.insert({"images-per-identity", "data-seed", "positive", "split", "held-out"});
  fixed.insert({"train-per-class", "split-seed", "head", "network", "image", "base", "dimensions"});
  fixed.insert({"dropout", "grey", "images-per-person", "exclude-pairs", "balance", "per-person"});
  fixed.insert({"augment", "optimizer", "weight-decay", "label-smoothing", "scale", "margin"});
  fixed.insert({"ema", "schedule-steps", "init"});
  return fixed;
}

void take(const SavedFlags& saved, CatalogueFlags& f) {
  saved.take("layout", f.layout);
  saved.take("labels", f.labels);
  saved.take("attribute", f.attribute);
  saved.take("crop", f.crop);
  saved.take("label", f.label);
  saved.take("nuisances", f.nuisances);
  saved.take("identities", f.identities);
  saved.take("images-per-identity", f.images_per_identity);
  saved.take("data-seed", f.data_seed);
  saved.take("positive", f.positive);
  saved.take("split", f.split);
  saved.take("held-out", f.held_out);
  saved.take("train-per-class", f.train_per_class);
  saved.take("split-seed", f.split_seed);
}

bool among(const std::vector<std::string>& names, const std::string& text) {
  return std::find(names.begin(), names.end(), text) != names.end();
}

}  // namespace

bool of_people(RecognitionHead head) {
  return head != RecognitionHead::binary && head != RecognitionHead::expression;
}

void add_cnn_flags(Flags& flags, CnnFlags& f) {
  add_train_flags(flags, f.train);
  flags.explain("--sample-every",
                "Steps between figures and pictures of the held-out images; there are some at the "
                "end too");
  flags.explain("--skip-broken", "Leave out images that cannot be loaded, and say so");
  add_catalogue_flags(flags, f.faces);
  flags.explain("--label",
                "Of procedural faces: what is told apart (unless given: identity, of expression "
                "the expression)");
  add_split_flags(flags, f.faces);
  flags.explain(
      "--split",
      "What is held out to measure with: identity-disjoint (whole classes), stratified "
      "(some images of every class, of procedural people whole people) or official (folders of "
      "parts); unless given, of "
      "binary and expression stratified, or official where there are such folders");
  add_network_flags(flags, f);
  add_choice_flags(flags, f);
  add_objective_flags(flags, f);
}

Json to_json(const CnnFlags& f) {
  Json json = {{"model", "cnn"}};
  json.update(to_json(f.train));
  Json faces = to_json(f.faces);
  faces.erase("procedural");  // which "data" says
  faces["labels"] = f.faces.labels;
  json.update(faces);
  json.update(Json{{"head", f.head},
                   {"network", f.cnn.network},
                   {"image", f.cnn.image},
                   {"base", f.cnn.base},
                   {"dimensions", f.cnn.dimensions},
                   {"dropout", f.cnn.dropout},
                   {"grey", f.grey},
                   {"images-per-person", f.images_per_person},
                   {"exclude-pairs", f.exclude_pairs},
                   {"balance", f.balance},
                   {"per-person", f.per_person},
                   {"augment", f.augment},
                   {"optimizer", f.optimizer},
                   {"weight-decay", f.weight_decay},
                   {"label-smoothing", f.label_smoothing},
                   {"scale", f.scale},
                   {"margin", f.margin},
                   {"ema", f.ema},
                   {"schedule-steps", f.schedule_steps},
                   {"init", f.init}});
  return json;
}

void take_saved_flags(const Flags& flags, CnnFlags& f) {
  const SavedFlags saved(flags, f.train.out, {"cnn"}, fixed_flags());
  saved.take(f.train);
  take(saved, f.faces);
  saved.take("head", f.head);
  saved.take("network", f.cnn.network);
  saved.take("image", f.cnn.image);
  saved.take("base", f.cnn.base);
  saved.take("dimensions", f.cnn.dimensions);
  saved.take("dropout", f.cnn.dropout);
  saved.take("grey", f.grey);
  saved.take("images-per-person", f.images_per_person);
  saved.take("exclude-pairs", f.exclude_pairs);
  saved.take("balance", f.balance);
  saved.take("per-person", f.per_person);
  saved.take("augment", f.augment);
  saved.take("optimizer", f.optimizer);
  saved.take("weight-decay", f.weight_decay);
  saved.take("label-smoothing", f.label_smoothing);
  saved.take("scale", f.scale);
  saved.take("margin", f.margin);
  saved.take("ema", f.ema);
  saved.take("schedule-steps", f.schedule_steps);
  if (!saved.given("init")) saved.take("init", f.init);
  saved.require(
      among(models::recognition_heads(), f.head) && among(data::augment_presets(), f.augment) &&
      among(data::catalogue_layouts(), f.faces.layout) &&
      among(data::procedural_label_names(), f.faces.label) &&
      among(data::split_kinds(), f.faces.split) && f.faces.identities >= 1 &&
      f.faces.images_per_identity >= 1 && f.faces.train_per_class >= 0 &&
      f.images_per_person >= 0 && f.per_person >= 1 && f.margin >= 0 && f.schedule_steps >= 1);
}

void settle(const Flags& flags, CnnFlags& f) {
  const RecognitionHead head = models::recognition_head(f.head);
  check_given(flags, f, head);
  f.faces.data = f.train.data;
  f.faces.skip_broken = f.train.skip_broken;
  if (!f.train.resume) set_defaults(flags, f, head);
  try {
    check_numbers(f, head);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  check_catalogue_flags(flags, f.faces);
  check_people(f, head);
}

void settle(const Flags& flags, const data::Catalogue& catalogue, CnnFlags& f) {
  const RecognitionHead head = models::recognition_head(f.head);
  const std::vector<std::string>& classes = catalogue.labels.classes;
  if (head == RecognitionHead::binary && classes.size() != 2) {
    throw UsageError("--head binary tells two classes apart, and here are " +
                     std::to_string(classes.size()) + " (" + list_of(classes) +
                     "); choose one of them with --positive");
  }
  if (f.train.resume || of_people(head) || catalogue.parts.empty()) return;
  for (const char* flag : {"--split", "--held-out", "--train-per-class", "--split-seed"}) {
    if (flags.given(flag)) return;
  }
  f.faces.split = "official";
}

models::RecogniserOptions recogniser_options(const CnnFlags& f,
                                             const std::vector<std::string>& classes) {
  models::RecogniserOptions o;
  o.cnn = f.cnn;
  o.cnn.channels = f.grey ? 1 : 3;
  o.head = models::recognition_head(f.head);
  o.grey = f.grey;
  o.classes = classes;
  o.scale = f.scale;
  return o;
}

models::RecogniserTrainerOptions trainer_options(const CnnFlags& f) {
  return {.steps = f.schedule_steps,
          .optimizer = f.optimizer,
          .lr = f.train.lr,
          .weight_decay = f.weight_decay,
          .label_smoothing = f.label_smoothing,
          .scale = f.scale,
          .margin = f.margin,
          .ema = f.ema,
          .seed = f.train.seed};
}

}  // namespace imago::apps
