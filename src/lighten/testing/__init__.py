"""What tests of lighten and of its plug-ins share: tiny networks, contract suites, fakes."""
