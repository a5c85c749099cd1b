db.createUser({ user: 'application', roles: [{ role: 'readWrite', db: 'dbtrial' }] });
