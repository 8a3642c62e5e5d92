import type { Metadata } from "next";
import { AccountPage } from "@/components/settings/account/account-page";
import {
  changePasswordAction,
  confirmTotpAction,
  disableTotpAction,
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
        startTotp: startTotpAction,
        confirmTotp: confirmTotpAction,
        disableTotp: disableTotpAction,
        revokeSession: revokeSessionAction,
        revokeOthers: revokeOthersAction,
      }}
    />
  );
}
