#!/bin/sh
# etcd.sh NAME: one of three nodes of etcd, which Patroni keeps its leader's lock in.
set -eu
exec etcd --name "$1" --data-dir "/var/lib/etcd/$1" \
  --listen-client-urls http://0.0.0.0:2379 --advertise-client-urls "http://$1:2379" \
  --listen-peer-urls http://0.0.0.0:2380 --initial-advertise-peer-urls "http://$1:2380" \
  --initial-cluster etcd1=http://etcd1:2380,etcd2=http://etcd2:2380,etcd3=http://etcd3:2380 \
  --initial-cluster-token shop --initial-cluster-state new
