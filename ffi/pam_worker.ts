/** Runs one question to PAM: it blocks, and what a module of PAM does to its thread ends with this worker. */
/// <reference lib="deno.worker" />
import { messageOf } from "../lib/text/message.ts";
import { askHost, type HostAnswer, type HostQuestion } from "./pam.ts";

/** Message from the worker. */
export type FromPam = { readonly answer: HostAnswer } | { readonly failure: string };

self.onmessage = ({ data }: MessageEvent<HostQuestion>) => {
  let told: FromPam;
  try {
    told = { answer: askHost(data) };
  } catch (error) {
    told = { failure: messageOf(error) };
  }
  self.postMessage(told);
};
