import { page } from "fresh";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import {
  ChangeLockManager,
  ClusterPanel,
  LinkedLocks,
  LockManagerNow,
  SharedDisks,
} from "../../components/host/LockManagerPanels.tsx";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

const AT = "/settings/lock-manager";

export const handler = define.handlers({
  async GET({ state }) {
    const [lockManager, cluster] = await Promise.all([
      state.api.getLockManager({}),
      state.api.getHostCluster({}),
    ])
      .catch(fail);
    return page({ lockManager, cluster });
  },
});

/** What guards disks against VMs that are started twice: libvirt's lock manager, and a cluster around the host. */
export default define.page<typeof handler>(
  function LockManagerPage({ data: { lockManager, cluster }, state }) {
    return (
      <SettingsPage at={AT} user={state.user}>
        <LockManagerNow state={lockManager} />
        <ChangeLockManager state={lockManager} refused={state.refused} at={AT} />
        <SharedDisks state={lockManager} />
        <LinkedLocks state={lockManager} />
        <ClusterPanel cluster={cluster} />
      </SettingsPage>
    );
  },
);
