/** Errors of projects. */
import type { ErrorKind } from "./kind.ts";

export const PROJECT_ERRORS = {
  ProjectNotFound: { text: "Project not found: {projectId}", status: 404, exit: 4 },
  ProjectExists: { text: "Project exists already: {name}", status: 409, exit: 5 },
  TooManyProjects: {
    text: "There are {limit} projects, the most there can be. Delete one, then create this one.",
    status: 409,
    exit: 5,
  },
  NotProjectMember: { text: "{user} is no member of the project {project}", status: 404, exit: 4 },
  ProjectTakesNoVms: {
    text:
      "Members cannot create VMs in the project {project}: it names no storage pool. An administrator adds one to its " +
      "settings.",
    status: 409,
    exit: 5,
  },
  NotNamedByProject: {
    text:
      "{name} is not one of the {what} of the project {project} on this host ({choices}). Choose one of these, or have " +
      "an administrator add it to the project.",
    status: 403,
    exit: 6,
  },
  QuotaExceeded: {
    text:
      "The project {project} may have {limit} in all, and {requested} more do not fit. Make its VMs smaller, delete " +
      "some of them for good, or have an administrator raise its quota.",
    status: 409,
    exit: 5,
  },
} as const satisfies Record<string, ErrorKind>;
