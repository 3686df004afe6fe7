terraform {
  required_providers {
    mixpanel = { source = "mixpanel/mixpanel" }
  }
}

# Host and credentials come from the environment.
provider "mixpanel" {
  organization_id = "7654321"
  project_id      = "1234567"
}
