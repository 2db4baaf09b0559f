// Ctrl-C as a flag: a training loop looks at it between steps, saves and says how to go on.
#pragma once

namespace imago::apps {

// From now on SIGINT, SIGTERM and SIGHUP (a closed terminal) set a flag; a second one ends the
// program at once.
void catch_interrupt();
bool interrupted();

}  // namespace imago::apps
