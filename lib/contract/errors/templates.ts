/** Errors: templates. */
import type { ErrorKind } from "./kind.ts";

export const TEMPLATE_ERRORS = {
  TemplateNotFound: { text: "Template not found: {templateId}", status: 404, exit: 4 },
  TemplateVersionNotFound: { text: "Template {name} has no version {version}", status: 404, exit: 4 },
  TemplateExists: { text: "Template name already exists: {name}", status: 409, exit: 5 },
  TooManyTemplates: {
    text: "There are {limit} {what} already. Delete one that is not needed any more first.",
    status: 409,
    exit: 5,
  },
  TemplateRefused: { text: "No template can be made of {vm}: {reason}", status: 409, exit: 5 },
  TemplateInUse: {
    text: "The disks of template {name} are needed by {users}. Delete them first.",
    status: 409,
    exit: 5,
  },
  TemplateNotSealed: { text: "The template's disks cannot be sealed: {reason}", status: 502, exit: 1 },
  TemplateFailed: {
    text: "Failed to {verb} template: {error}",
    byVerb: {
      make: "Failed to make template: {error}",
      delete: "Failed to delete template: {error}",
    },
    status: 502,
    exit: 1,
  },
  TemplateVmFailed: {
    text: "Failed to create {vm}, after {done} of {count} VMs: {error}",
    status: 502,
    exit: 1,
  },
} as const satisfies Record<string, ErrorKind>;
