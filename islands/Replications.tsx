import { Panel } from "../components/kit/Panel.tsx";
import { ReplicaTable, ReplicationTable } from "../components/replication/ReplicationTables.tsx";
import { api } from "../lib/client/api.ts";
import { currentTime } from "../lib/client/clock.ts";
import { pageJobs } from "../lib/client/jobs.ts";
import { whenChanged } from "../lib/client/query.ts";
import { useQuery } from "../lib/client/use_query.ts";
import type { Replica, Replication } from "../lib/contract/mod.ts";
import { replication as texts } from "../lib/i18n/en/replication.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(texts);
/** Milliseconds between looks. */
const LOOK_MS = 3000;
/** Increments and switch-overs are tasks; the age of a replica has no event. */
const LOOKS = { follow: whenChanged(pageJobs.sign), everyMs: LOOK_MS };

/** Props of {@link Replications}. */
export interface ReplicationsProps {
  replications: readonly Replication[];
  /** Those that other hosts keep here; null where they are not shown. */
  replicas: readonly Replica[] | null;
  /** The VM that alone is shown. */
  vmId?: string;
  /** When the page was rendered. */
  now: number;
  mayChange: boolean;
  /** Address of the page that shows it. */
  back: string;
}

/** Replications, and replicas of other hosts, live. */
export default function Replications(props: ReplicationsProps) {
  const { vmId, mayChange, back } = props, now = currentTime(props.now);
  const { value: replications } = useQuery({
    first: props.replications,
    read: async () => {
      const all = await api.listReplications({});
      return vmId === undefined ? all : all.filter((each) => each.vmId === vmId);
    },
    ...LOOKS,
  });
  const { value: replicas } = useQuery({
    first: props.replicas,
    read: async () => props.replicas === null ? null : await api.listReplicas({}),
    ...LOOKS,
  });
  return (
    <>
      <Panel title={t(vmId === undefined ? "replication.out" : "replication.title")}>
        <ReplicationTable replications={replications.value} now={now} mayChange={mayChange} back={back} />
      </Panel>
      {replicas.value !== null && (
        <Panel title={t("replication.in")}>
          <ReplicaTable replicas={replicas.value} now={now} mayChange={mayChange} />
        </Panel>
      )}
    </>
  );
}
