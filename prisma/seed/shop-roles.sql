-- Roles of the sample company. They belong to the server, not to one database.
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['shop_owner', 'shop_app', 'shop_reporting'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', name);
    END IF;
  END LOOP;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_holdfast') THEN
    -- May read all of the shop's data and make databases to restore into; nothing else on this server.
    CREATE ROLE shop_holdfast LOGIN CREATEDB;
  END IF;
END $$;
GRANT shop_owner, shop_app, shop_reporting TO shop_holdfast;
