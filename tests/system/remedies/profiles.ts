/** Advice in texts of profiles, their files and their tools, with the tests of it. */
import { ANOTHER, OUTSIDE, type RemedyTrial } from "./trial.ts";

/** Another value of the same command. */
const OTHER_VALUES = [
  "give an absolute path on the host",
  "give a path without ..",
  "give the absolute path of the program",
  "a skill needs steps: give at least one",
  "is a secret, and is not kept: put a parameter in its place",
  "which is no parameter: name it in parameters",
  "a tool of the kind … has no …: leave it out",
  "is KVM Manager itself, and needs no definition: choose another name",
  "an agent needs an account: give account",
  "that is your own account, which it would limit: choose another",
  "a hook waits for an event: give event",
  "only vm-state-changed has states: leave state out",
  "a hook has a url or a program: give one of them",
  "a server has an address: give url",
  "is missing: give parameters.",
  "tool_refs has … twice: leave one out",
  "allowed_directories is set: name the pool that disks are put into",
] as const;

export const OF_PROFILES: Readonly<Record<string, RemedyTrial>> = {
  ...Object.fromEntries(OTHER_VALUES.map((part) => [part, ANOTHER])),
  "the user is an administrator: give the user another role first": {
    not: "grants are changed as those of any user, which access_test does",
  },
  "programs of hooks are off. Start KVM Manager with --hook-programs DIR": OUTSIDE,
  "can be written by others than root. Run chmod go-w, and chown root": OUTSIDE,
};
