import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { JobItems } from "../components/jobs/JobItems.tsx";
import { jobs } from "../lib/client/jobs.ts";
import type { Job } from "../lib/contract/mod.ts";

/** Long work on its page: what it was rendered with, then live. */
export default function JobList({ list }: { list: readonly Job[] }) {
  const isLive = useSignal(false);
  useEffect(() => {
    jobs.seed(list);
    isLive.value = true;
  }, []);
  return <JobItems list={isLive.value ? jobs.list.value : list} />;
}
