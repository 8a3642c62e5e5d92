import Link from "next/link";
import { PageHeader } from "@/components/ui/page-header";
import classes from "./not-found.module.css";

export default function NotFound() {
  return (
    <main className={classes.main}>
      <PageHeader
        title="There is no such page."
        facts={["It may have been renamed or removed, or the link is cut off."]}
      />
      <Link href="/">Go to the Overview</Link>
    </main>
  );
}
