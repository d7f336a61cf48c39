import { MaintenanceTable, type MaintenanceTableProps } from "../components/host/MaintenanceTable.tsx";
import { api } from "../lib/client/api.ts";
import { pageJobs } from "../lib/client/jobs.ts";
import { whenChanged } from "../lib/client/query.ts";
import { useQuery } from "../lib/client/use_query.ts";

/** Milliseconds between looks. */
const LOOK_MS = 3000;

/** Table of the VMs of a host in maintenance, live. Another state has other forms: the page is then loaded again. */
export default function MaintenanceState({ maintenance: first, labels }: MaintenanceTableProps) {
  const { value } = useQuery({
    first,
    read: async () => {
      const now = await api.getMaintenance({});
      if (now.state !== first.state) location.reload();
      return now;
    },
    follow: whenChanged(pageJobs.sign), // VMs move as tasks
    everyMs: LOOK_MS,
  });
  return <MaintenanceTable maintenance={value.value} labels={labels} />;
}
