import type { Metadata } from "next";
import { AccountPage } from "@/components/settings/account/account-page";
import {
  changeEmailAction,
  changePasswordAction,
  confirmTotpAction,
  disableTotpAction,
  makeRecoveryCodesAction,
  revokeOthersAction,
  revokeSessionAction,
  startTotpAction,
} from "./actions";

export const metadata: Metadata = { title: "Your account" };

export default function Page() {
  return (
    <AccountPage
      actions={{
        changePassword: changePasswordAction,
        changeEmail: changeEmailAction,
        startTotp: startTotpAction,
        confirmTotp: confirmTotpAction,
        disableTotp: disableTotpAction,
        makeRecoveryCodes: makeRecoveryCodesAction,
        revokeSession: revokeSessionAction,
        revokeOthers: revokeOthersAction,
      }}
    />
  );
}
