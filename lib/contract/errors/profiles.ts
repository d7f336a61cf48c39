/** Errors of profiles, and of the tools in them. */
import type { ErrorKind } from "./kind.ts";

export const PROFILE_ERRORS = {
  ProfileNotFound: { text: "Profile not found: {profile_id}", status: 404, exit: 4 },
  ProfileNameExists: { text: "Profile exists already: {name}", status: 409, exit: 5 },
  TooManyProfiles: {
    text: "There are {limit} profiles, the most there can be. Delete one, then create this one.",
    status: 409,
    exit: 5,
  },
  ProjectAlreadyAssigned: {
    text: "The project {project} has the profile {profile} already. Unassign it first.",
    status: 409,
    exit: 5,
  },
  NoProfileAssigned: { text: "The project {project} has no profile", status: 409, exit: 5 },
  ToolAlreadyExists: {
    text: "The project {project} has the local {tool_type} {tool_name} already",
    status: 409,
    exit: 5,
  },
  ToolNotFound: { text: "Tool not found: {tool_type} {tool_name}", status: 404, exit: 4 },
  ToolNotAllowed: {
    text:
      "{tool} may not use {command} here: {reason}. An administrator changes that in the profile, or at the project.",
    status: 403,
    exit: 6,
  },
  TooManyTools: {
    text: "There are {limit} tools, the most there can be. Delete one, then define this one.",
    status: 409,
    exit: 5,
  },
  SkillFailed: {
    text: "Step {step} ({command}) failed: {reason}. The steps before it were carried out.",
    status: 409,
    exit: 5,
  },
  ToolFailed: { text: "{tool} failed: {reason}", status: 502, exit: 1 },
  DatabaseError: { text: "Storage operation failed: {reason}", status: 503, exit: 3 },
  IoError: { text: "The file {path} cannot be read or written: {reason}", status: 400, exit: 2 },
  InvalidFormat: { text: "The file is no valid profile: {reason}", status: 400, exit: 2 },
  VersionUnsupported: {
    text: "The profile has version {version}, and versions up to {supported} can be read",
    status: 400,
    exit: 2,
  },
  NameCollision: {
    text: "There is a profile {name} already. Give rename_to, another name for the imported one.",
    status: 409,
    exit: 5,
  },
} as const satisfies Record<string, ErrorKind>;
