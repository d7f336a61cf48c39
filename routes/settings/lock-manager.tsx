import { page } from "fresh";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import {
  ChangeLockManager,
  ClusterPanel,
  LinkedLocks,
  LockManagerNow,
  SharedDisks,
} from "../../components/host/LockManagerPanels.tsx";
import { Flash } from "../../components/kit/Flash.tsx";
import { define } from "../../lib/page_state.ts";
import { failureOf } from "../../lib/text/failure.ts";
import { fail } from "../(_shared)/fail.ts";

const AT = "/settings/lock-manager";

export const handler = define.handlers({
  async GET({ state }) {
    try {
      const [lockManager, cluster] = await Promise.all([
        state.api.getLockManager({}),
        state.api.getHostCluster({}),
      ]);
      return page({ shown: { lockManager, cluster }, failure: null });
    } catch (error) {
      // Another driver than QEMU's has none
      const failure = failureOf(error);
      if (failure.code !== "NotOnThisHost") fail(error);
      return page({ shown: null, failure });
    }
  },
});

/** Page of the guards against a second start of a VM: libvirt's lock manager, and a cluster around the host. */
export default define.page<typeof handler>(
  function LockManagerPage({ data: { shown, failure }, state }) {
    return (
      <SettingsPage at={AT} user={state.user}>
        <Flash tone="info" failure={failure} />
        {shown !== null && (
          <>
            <LockManagerNow state={shown.lockManager} />
            <ChangeLockManager state={shown.lockManager} refused={state.refused} at={AT} />
            <SharedDisks state={shown.lockManager} />
            <LinkedLocks state={shown.lockManager} />
            <ClusterPanel cluster={shown.cluster} />
          </>
        )}
      </SettingsPage>
    );
  },
);
