/** Advice in answers to programs that speak MCP. */
import type { RemedyTrial } from "./trial.ts";

const TOOL: RemedyTrial = { not: "it names the tool that mcp_test uses for it in all its steps" };
const DOOR: RemedyTrial = { not: "the pages, REST and the command line have tests of their own" };
const FEWER: RemedyTrial = {
  not: "less is asked for by the command's own fields, which have tests of their own",
};

/** Words of a text → how it is tried. */
export const OF_MCP: Readonly<Record<string, RemedyTrial>> = {
  "It is too long, and ends in the middle": FEWER,
  "The picture is too large. Ask for a thumbnail": FEWER,
  "it changes something. Use plan": TOOL,
  "it only reads. Use read": TOOL,
  "Read list_jobs or get_job to see how it ends": TOOL,
  "its content is a file. Use the command line or REST": DOOR,
  "it decides who may do what. Use the pages": DOOR,
};
