"""The kernel's side: loading the programs of `bpf/`, attaching them, decoding their records."""
