import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { JobItems } from "../components/jobs/JobItems.tsx";
import { isOpen, pageJobs } from "../lib/client/jobs.ts";
import type { Job } from "../lib/contract/mod.ts";

/** Jobs in their order, the open ones first. */
const openFirst = (list: readonly Job[]): readonly Job[] =>
  list.toSorted((a, b) => Number(isOpen(b)) - Number(isOpen(a)));

/** Long work on its page: what it was rendered with, then live. @param isSearch what was found stays, and nothing is added */
export default function JobList({ list, isSearch }: { list: readonly Job[]; isSearch: boolean }) {
  const isLive = useSignal(false);
  useEffect(() => {
    pageJobs.seed(list);
    isLive.value = true;
  }, []);
  if (!isSearch) return <JobItems list={isLive.value ? pageJobs.list.value : openFirst(list)} />;
  const now = new Map(isLive.value ? pageJobs.list.value.map((job) => [job.id, job]) : []);
  return <JobItems list={list.map((job) => now.get(job.id) ?? job)} />;
}
