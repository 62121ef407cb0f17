-- Signatures, trusted keys and labels of releases.
select 1;
