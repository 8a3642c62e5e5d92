import { Badge } from "@mantine/core";
import { limitWords } from "./limit-words";
import classes from "./settings.module.css";

/** A role, and below it what it is limited to. */
export function RoleLimits({
  role,
  environments,
  applications,
}: {
  role: string;
  environments: string[];
  applications: string[];
}) {
  const limits = limitWords({ environments, applications });
  return (
    <span>
      <Badge variant="default" tt="none">
        {role}
      </Badge>
      {limits ? <span className={classes.limits}>only {limits}</span> : null}
    </span>
  );
}
