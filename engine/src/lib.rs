//! The engine: configuration, plan, groups, ingress, clock and the commands of the binary.
